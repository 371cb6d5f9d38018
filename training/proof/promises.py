"""Stated risks against met ones: strangers walk up to galleries, and false alarms are counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.domain.policy import RiskPolicy, comparison_rate
from training.evaluation.intervals import IntArray, clopper_pearson
from training.evaluation.pairs import Matrix
from training.evaluation.populations import rows_by_person
from training.evaluation.results import Estimate, Record

SEED = 20261122
LEAST_STRANGERS = 100


@dataclass(frozen=True)
class Population:
    """Faces ``(N, D)`` and whose they are; galleries and strangers are both drawn from it."""

    name: str
    faces: Matrix
    people: IntArray


class KeptPromise(Record):
    """One stated risk against galleries of one size.

    ``met``: strangers taken for somebody, of all attempts, with the exact binomial interval of
    attempts that were independent; they are not quite, since galleries and strangers recur, so that
    the true interval is wider. ``broken`` where even the lower bound lies above the stated rate.
    """

    population: str
    people: int
    photos: int
    stated: float
    threshold: float
    supported: bool
    met: Estimate

    @property
    def broken(self) -> bool:
        """Whether the promise was given and not kept."""
        return self.supported and self.met.low > self.stated


def prove_promises(
    population: Population,
    policy: RiskPolicy,
    sizes: Sequence[int],
    risks: Sequence[float],
    photos: int,
    rounds: int,
) -> list[KeptPromise]:
    """Draw ``rounds`` galleries of each size and let everybody else be a stranger to them.

    Enrolled people give up to ``photos`` pictures, each stranger one; the threshold told is that of
    whoever has so many, and everybody is held to that of his own number. Sizes that leave fewer
    than 100 strangers are left out.
    """
    random = np.random.default_rng(SEED)
    rows_of = rows_of_everybody(population)
    kept = []
    for size in sizes:
        if len(rows_of) - size < LEAST_STRANGERS:
            continue
        nearest = np.concatenate(
            [_nearest(population.faces, rows_of, size, photos, random) for _ in range(rounds)]
        )
        for risk in risks:
            asked = [
                policy.promise(risk, size, photos=count).threshold.similarity
                for count in range(1, photos + 1)
            ]
            alarms = int((nearest >= np.array(asked)).any(axis=1).sum())
            kept.append(
                KeptPromise(
                    population=population.name,
                    people=size,
                    photos=photos,
                    stated=risk,
                    threshold=asked[-1],
                    supported=comparison_rate(risk, size) >= policy.rarest_rate,
                    met=clopper_pearson(alarms, len(nearest)),
                )
            )
    return kept


def rows_of_everybody(population: Population) -> list[IntArray]:
    """Return the rows of each person."""
    rows_of = sorted(rows_by_person(population.people).items())
    return [np.array(rows, np.int64) for _, rows in rows_of]


def _nearest(
    faces: Matrix,
    rows_of: list[IntArray],
    size: int,
    photos: int,
    random: np.random.Generator,
) -> Matrix:
    """Return how near strangers to one drawn gallery come to it, ``(strangers, photos)``.

    A column for each number of photos: the highest similarity to a centroid of so many.
    """
    order = random.permutation(len(rows_of))
    enrolled = [rows_of[number] for number in order[:size]]
    sums = np.stack([faces[random.permutation(rows)[:photos]].sum(axis=0) for rows in enrolled])
    centroids = sums / np.linalg.norm(sums, axis=1, keepdims=True)
    counts = np.array([min(photos, len(rows)) for rows in enrolled])
    strangers = faces[[int(random.choice(rows_of[number])) for number in order[size:]]]
    similarities = strangers @ centroids.T
    nearest: Matrix = np.stack(
        [
            similarities[:, counts == count].max(axis=1, initial=-1.0)
            for count in range(1, photos + 1)
        ],
        axis=1,
    )
    return nearest
