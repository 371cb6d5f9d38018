"""Scores of validation people and strangers: probe to photo, and probe to centroid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.evaluation.intervals import IntArray
from training.evaluation.open_set import centroids
from training.evaluation.pairs import Matrix, cross_similarities, same_and_different
from training.evaluation.populations import rows_by_person

SHIFT_RATE = 1e-4  # rare enough to speak of the tail, frequent enough to be measured


@dataclass(frozen=True)
class Scores:
    """Similarities for enrolment with ``photos`` photos.

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

    @property
    def different(self) -> Matrix:
        """Every score of two different people."""
        return np.concatenate([self.others, self.strangers])


def photo_scores(val: Matrix, people: IntArray, strangers: Matrix) -> Scores:
    """Return the scores of every pair of photos."""
    same, owners, others = same_and_different(val, people)
    return Scores(1, same, owners, others, (val @ strangers.T).ravel(), len(val), 0.0)


def centroid_scores(
    val: Matrix, people: IntArray, files: tuple[str, ...], strangers: Matrix, photos: int
) -> Scores | None:
    """Return the scores with centroids of ``photos`` photos; None where nobody has enough.

    Every photo of a person with more than ``photos`` is a probe once, against the centroid of the
    next photos in (cyclic) file order.
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
    same: Matrix = np.einsum("nd,nd->n", val[probes], means)
    owners = people[probes]
    against_centroids = (means @ strangers.T).ravel()
    return Scores(
        photos=photos,
        same=same,
        owners=owners,
        others=cross_similarities(means, val, owners, people),
        strangers=against_centroids,
        enrolled=len(means),
        shift=_reached(against_centroids) - _reached((val[probes] @ strangers.T).ravel()),
    )


def _reached(impostors: Matrix) -> float:
    """Return the similarity that impostors reach at the rate 1e-4."""
    place = min(len(impostors) - 1, round(len(impostors) * (1 - SHIFT_RATE)))
    return float(np.partition(impostors, place)[place])
