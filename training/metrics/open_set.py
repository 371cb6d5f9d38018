"""Open-set identification: some probes are enrolled, the impostors are not (ISO/IEC 19795-1).

The gallery is everyone with more than ``photos`` pictures; the first ``photos`` by file order are
enrolled and the rest are probes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from app.domain.embeddings import mean_directions
from training.data.populations import rows_by_person
from training.foundation.arrays import BoolArray, FloatArray, IntArray, Matrix
from training.metrics.intervals import (
    REPLICATES,
    SEED,
    bootstrap_rate,
    no_narrower_than_binomial,
    people_weights,
    percentile_interval,
)
from training.metrics.results import OpenSet, OpenSetPoint
from training.metrics.verification import threshold_at_far

Rule = Literal["centroid", "max", "mean"]
RULES: tuple[Rule, ...] = ("centroid", "max", "mean")


@dataclass(frozen=True)
class Enrollment:
    """Who is enrolled with which photos, and which rows are whose probes.

    ``enrolled`` is ``(people, photos)`` rows, ``probes`` ``(P,)`` rows and ``owners`` ``(P,)`` the
    gallery position of each probe's person.
    """

    enrolled: IntArray
    probes: IntArray
    owners: IntArray


def enroll_people(identities: IntArray, files: tuple[str, ...], photos: int) -> Enrollment:
    """Enroll the first ``photos`` of each person who has more; raises ``ValueError`` for nobody."""
    everybody = rows_by_person(identities, files).values()
    people = [rows for rows in everybody if len(rows) > photos]
    if not people:
        raise ValueError(f"nobody has more than {photos} photos")
    probes = [(row, owner) for owner, rows in enumerate(people) for row in rows[photos:]]
    return Enrollment(
        enrolled=np.array([rows[:photos] for rows in people], np.int64),
        probes=np.array([row for row, _ in probes], np.int64),
        owners=np.array([owner for _, owner in probes], np.int64),
    )


def single_photo_rows(identities: IntArray) -> IntArray:
    """Return the rows of people who have one photo."""
    people, number, counts = np.unique(identities, return_inverse=True, return_counts=True)
    del people
    return np.nonzero(counts[number] == 1)[0].astype(np.int64)


def centroids(embeddings: Matrix, enrolled: IntArray) -> Matrix:
    """Return the mean direction ``(people, D)`` of every row of ``enrolled`` ``(people, n)``."""
    return mean_directions(embeddings[enrolled])


def gallery_scores(probes: Matrix, embeddings: Matrix, enrolled: IntArray, rule: Rule) -> Matrix:
    """Return the score ``(P, people)`` of each probe with each person, by one of three rules.

    ``centroid``: similarity to the mean direction; ``max`` and ``mean``: over single photos.
    """
    if rule == "centroid":
        scores: Matrix = probes @ centroids(embeddings, enrolled).T
        return scores
    by_photo = (probes @ embeddings[enrolled[:, j]].T for j in range(enrolled.shape[1]))
    total = next(by_photo)
    for similarities in by_photo:
        total = np.maximum(total, similarities) if rule == "max" else total + similarities
    return total if rule == "max" else total / np.float32(enrolled.shape[1])


@dataclass(frozen=True)
class OpenSetScores:
    """What identification saw: ``own``, ``on_top`` and ``owners`` ``(P,)``, ``peaks`` ``(I,)``.

    ``own`` is each probe's score with its own person, ``on_top`` whether nobody scored higher,
    ``peaks`` each impostor's highest score and ``strangers`` ``(I,)`` whose picture that was.
    """

    own: Matrix
    on_top: BoolArray
    owners: IntArray
    peaks: Matrix
    strangers: IntArray

    def missed(self, threshold: float) -> BoolArray:
        """Return for each probe whether its person is not on top or below the threshold."""
        missed: BoolArray = ~self.on_top | (self.own < threshold)
        return missed


def open_set_scores(
    embeddings: Matrix,
    enrollment: Enrollment,
    impostors: Matrix,
    rule: Rule = "centroid",
    strangers: IntArray | None = None,
) -> OpenSetScores:
    """Return the scores of probes and impostors with the gallery.

    ``strangers`` ``(I,)`` says who each impostor's picture shows; without it everyone is another.
    """
    scores = gallery_scores(embeddings[enrollment.probes], embeddings, enrollment.enrolled, rule)
    return OpenSetScores(
        own=scores[np.arange(len(scores)), enrollment.owners],
        on_top=scores.argmax(axis=1) == enrollment.owners,
        owners=enrollment.owners,
        peaks=gallery_scores(impostors, embeddings, enrollment.enrolled, rule).max(axis=1),
        strangers=np.arange(len(impostors)) if strangers is None else strangers,
    )


def identify_open_set(
    embeddings: Matrix,
    enrollment: Enrollment,
    impostors: Matrix,
    rates: tuple[float, ...],
    rule: Rule = "centroid",
    strangers: IntArray | None = None,
) -> OpenSet:
    """Return FNIR at each FPIR of ``rates``, and rank-1, with intervals that resample people.

    Gallery and impostors are resampled by person; who else is in the gallery stays. ``strangers``
    as in ``open_set_scores``.
    """
    seen = open_set_scores(embeddings, enrollment, impostors, rule, strangers)
    return OpenSet(
        photos_enrolled=enrollment.enrolled.shape[1],
        rule=rule,
        gallery_people=len(enrollment.enrolled),
        probes=len(enrollment.probes),
        impostors=len(impostors),
        rank1=bootstrap_rate(seen.on_top, seen.owners),
        points=tuple(_point(seen, rate) for rate in rates),
    )


def _point(seen: OpenSetScores, fpir: float) -> OpenSetPoint:
    """Return FNIR at one FPIR; every replicate draws people and impostors anew."""
    threshold = threshold_at_far(seen.peaks, fpir)
    people = int(seen.owners.max()) + 1
    trials = np.bincount(seen.owners, minlength=people)
    crowd, number = np.unique(seen.strangers, return_inverse=True)
    highest_first = np.argsort(-seen.peaks, kind="stable")
    peaks, number = seen.peaks[highest_first], number[highest_first]
    random = np.random.default_rng(SEED)
    replicates = np.empty(REPLICATES)
    for replicate in range(REPLICATES):
        limit = _weighted_threshold(peaks, people_weights(len(crowd), random)[number], fpir)
        drawn = random.integers(0, people, people)
        hits = np.bincount(seen.owners, weights=seen.missed(limit), minlength=people)
        replicates[replicate] = hits[drawn].sum() / trials[drawn].sum()
    missed = seen.missed(threshold)
    fnir = percentile_interval(float(missed.mean()), replicates, len(missed))
    fnir = no_narrower_than_binomial(fnir, int(missed.sum()))
    return OpenSetPoint(fpir=fpir, threshold=threshold, fnir=fnir)


def _weighted_threshold(peaks: Matrix, weights: FloatArray, far: float) -> float:
    """Return ``threshold_at_far`` of ``peaks``, highest first, each repeated by its weight."""
    counted = np.cumsum(weights)
    allowed = np.floor(far * counted[-1] + 1e-9)
    refused = peaks[int(np.searchsorted(counted, allowed, side="right"))]
    return float(np.nextafter(refused, refused.dtype.type(np.inf)))
