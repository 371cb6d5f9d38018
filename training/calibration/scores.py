"""Scores of validation people and strangers: probe to photo, to centroid, and bursts to either."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.data.populations import rows_by_person
from training.foundation.arrays import IntArray, Matrix
from training.metrics.open_set import centroids
from training.metrics.pairs import cross_similarities, same_and_different

SHIFT_RATE = 1e-4  # rare enough to speak of the tail, frequent enough to be measured


@dataclass(frozen=True)
class FusedProbes:
    """Bursts of ``frames`` frames, fused as the service fuses them, in place of single photos.

    ``val`` ``(V, D)``: one of every validation photo; ``strangers`` ``(S', D)``: one of each of
    the strangers in ``rows`` ``(S',)``.
    """

    frames: int
    val: Matrix
    strangers: Matrix
    rows: IntArray


@dataclass(frozen=True)
class Scores:
    """Similarities for enrollment with ``photos`` photos, probed with ``frames`` frames in one.

    ``same`` and ``owners`` are ``(S,)``; ``others`` compares validation people with each other and
    ``strangers`` compares strangers with them. ``enrolled`` counts the photos or centroids.
    ``shift``: how far the similarity that strangers reach at the rate 1e-4 lies above what they
    reach against single photos of the same people.
    """

    photos: int
    same: Matrix
    owners: IntArray
    others: Matrix
    strangers: Matrix
    enrolled: int
    shift: float
    frames: int = 1

    @property
    def different(self) -> Matrix:
        """Every score of two different people."""
        return np.concatenate([self.others, self.strangers])


def photo_scores(val: Matrix, people: IntArray, strangers: Matrix) -> Scores:
    """Return the scores of every pair of photos."""
    same, owners, others = same_and_different(val, people)
    return Scores(1, same, owners, others, (val @ strangers.T).ravel(), len(val), 0.0)


def burst_scores(val: Matrix, people: IntArray, strangers: Matrix, fused: FusedProbes) -> Scores:
    """Return the scores of every burst with every photo of another moment, as ``photo_scores``.

    A burst is never compared with the photo it was made of.
    """
    similarities = fused.val @ val.T
    alike = people[:, None] == people[None, :]
    known = (people[:, None] >= 0) & (people[None, :] >= 0)
    others = similarities[~alike & known]
    np.fill_diagonal(alike, val=False)
    owners = np.broadcast_to(people[:, None], alike.shape)[alike]
    against = (val @ fused.strangers.T).ravel()
    shift = _reached(against) - _reached((val @ strangers[fused.rows].T).ravel())
    return Scores(
        photos=1,
        same=similarities[alike],
        owners=owners,
        others=others,
        strangers=against,
        enrolled=len(val),
        shift=shift,
        frames=fused.frames,
    )


def centroid_scores(
    val: Matrix,
    people: IntArray,
    files: tuple[str, ...],
    strangers: Matrix,
    photos: int,
    fused: FusedProbes | None = None,
) -> Scores | None:
    """Return the scores with centroids of ``photos`` photos; None where nobody has enough.

    Every photo of a person with more than ``photos`` is a probe once, or the burst made of it,
    against the centroid of the next photos in (cyclic) file order.
    """
    probes, enrolled = [], []
    for rows in rows_by_person(people, files).values():
        if len(rows) > photos:
            for position, probe in enumerate(rows):
                following = [rows[(position + j) % len(rows)] for j in range(1, photos + 1)]
                probes.append(probe)
                enrolled.append(following)
    if not probes:
        return None
    means = centroids(val, np.array(enrolled, np.int64))
    shown = val if fused is None else fused.val
    same: Matrix = np.einsum("nd,nd->n", shown[probes], means)
    owners = people[probes]
    against = (means @ (strangers if fused is None else fused.strangers).T).ravel()
    single = strangers if fused is None else strangers[fused.rows]
    return Scores(
        photos=photos,
        same=same,
        owners=owners,
        others=cross_similarities(means, shown, owners, people),
        strangers=against,
        enrolled=len(means),
        shift=_reached(against) - _reached((val[probes] @ single.T).ravel()),
        frames=1 if fused is None else fused.frames,
    )


def _reached(impostors: Matrix) -> float:
    """Return the similarity that impostors reach at the rate 1e-4."""
    place = min(len(impostors) - 1, round(len(impostors) * (1 - SHIFT_RATE)))
    return float(np.partition(impostors, place)[place])
