"""Open-set identification: some probes are enrolled, the impostors are not (ISO/IEC 19795-1).

The gallery is everyone with more than ``photos`` pictures; the first ``photos`` by file order are
enrolled and the rest are probes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from training.evaluation.intervals import (
    REPLICATES,
    SEED,
    IntArray,
    bootstrap_rate,
    percentile_interval,
)
from training.evaluation.pairs import Matrix
from training.evaluation.results import OpenSet, OpenSetPoint
from training.evaluation.verification import threshold_at_far

Rule = Literal["centroid", "max", "mean"]
RULES: tuple[Rule, ...] = ("centroid", "max", "mean")


@dataclass(frozen=True)
class Enrolment:
    """Who is enrolled with which photos, and which rows are probes of whom.

    ``enrolled`` is ``(people, photos)`` rows, ``probes`` ``(P,)`` rows and ``owners`` ``(P,)`` the
    gallery position of each probe's person.
    """

    enrolled: IntArray
    probes: IntArray
    owners: IntArray


def enrol_people(identities: IntArray, files: tuple[str, ...], photos: int) -> Enrolment:
    """Enrol the first ``photos`` of every person who has more; raises ``ValueError`` for nobody."""
    order = sorted(range(len(files)), key=lambda row: files[row])
    rows_of: dict[int, list[int]] = {}
    for row in order:
        rows_of.setdefault(int(identities[row]), []).append(row)
    people = [rows for rows in rows_of.values() if len(rows) > photos]
    if not people:
        raise ValueError(f"nobody has more than {photos} photos")
    probes = [(row, owner) for owner, rows in enumerate(people) for row in rows[photos:]]
    return Enrolment(
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
    means = embeddings[enrolled].mean(axis=1)
    unit: Matrix = (means / np.linalg.norm(means, axis=1, keepdims=True)).astype(np.float32)
    return unit


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


def identify_open_set(
    embeddings: Matrix,
    enrolment: Enrolment,
    impostors: Matrix,
    rates: tuple[float, ...],
    rule: Rule = "centroid",
) -> OpenSet:
    """Return FNIR at each FPIR of ``rates``, and rank-1, with intervals that resample people.

    Gallery and impostors (one photo a person) are resampled; who else is in the gallery stays.
    """
    scores = gallery_scores(embeddings[enrolment.probes], embeddings, enrolment.enrolled, rule)
    own = scores[np.arange(len(scores)), enrolment.owners]
    on_top = scores.argmax(axis=1) == enrolment.owners
    peaks = gallery_scores(impostors, embeddings, enrolment.enrolled, rule).max(axis=1)
    points = [_point(own, on_top, enrolment.owners, peaks, rate) for rate in rates]
    return OpenSet(
        photos_enrolled=enrolment.enrolled.shape[1],
        rule=rule,
        gallery_people=len(enrolment.enrolled),
        probes=len(enrolment.probes),
        impostors=len(impostors),
        rank1=bootstrap_rate(on_top, enrolment.owners),
        points=tuple(points),
    )


def _point(
    own: Matrix, on_top: npt.NDArray[np.bool_], owners: IntArray, peaks: Matrix, fpir: float
) -> OpenSetPoint:
    """Return FNIR at one FPIR; every replicate draws people and impostors anew."""
    threshold = threshold_at_far(peaks, fpir)
    missed = ~on_top | (own < threshold)
    people = int(owners.max()) + 1
    trials = np.bincount(owners, minlength=people)
    random = np.random.default_rng(SEED)
    replicates = np.empty(REPLICATES)
    for replicate in range(REPLICATES):
        limit = threshold_at_far(random.choice(peaks, len(peaks)), fpir)
        drawn = random.integers(0, people, people)
        hits = np.bincount(owners, weights=~on_top | (own < limit), minlength=people)
        replicates[replicate] = hits[drawn].sum() / trials[drawn].sum()
    fnir = percentile_interval(float(missed.mean()), replicates, len(own))
    return OpenSetPoint(fpir=fpir, threshold=threshold, fnir=fnir)
