"""Stated risks against met ones: strangers walk up to galleries, and false alarms are counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.domain.decision import reached_somebody
from app.domain.embeddings import mean_directions
from app.domain.policy import PromiseFor, RiskPolicy, comparison_rate
from training.data.populations import rows_by_person
from training.foundation.arrays import IntArray, Matrix
from training.foundation.records import Record
from training.metrics.estimates import Estimate, estimate_text
from training.metrics.intervals import clopper_pearson

SEED = 20261122
MIN_STRANGERS = 100


@dataclass(frozen=True)
class Population:
    """Faces ``(N, D)`` and whose they are; galleries and strangers are both drawn from it.

    ``mixed``: they are of all groups; otherwise of one, to which a promise to mixed strangers does
    not speak.
    """

    name: str
    faces: Matrix
    people: IntArray
    mixed: bool = True


class KeptPromise(Record):
    """One stated risk against galleries of one size.

    ``met``: strangers taken for somebody, of all attempts, with the exact binomial interval of
    attempts that were independent; they are not quite, since galleries and strangers recur, so that
    the true interval is wider. ``named``: whether ``promise_for`` speaks to this population.
    """

    promise_for: PromiseFor
    named: bool
    population: str
    people: int
    photos: int
    stated: float
    threshold: float
    supported: bool
    met: Estimate

    @property
    def broken(self) -> bool:
        """Whether the promise was given to these people and not kept: surely more were met."""
        return self.named and self.exceeded

    @property
    def exceeded(self) -> bool:
        """Whether surely more strangers pass than stated, for any scope of the promise."""
        return self.supported and self.met.low > self.stated

    def __str__(self) -> str:
        return (
            f"{self.stated:g} for {self.promise_for} against {self.people:,} of "
            f"{self.population}: {estimate_text(self.met)}"
        )


def prove_promises(
    population: Population,
    policy: RiskPolicy,
    sizes: Sequence[int],
    risks: Sequence[float],
    photos: int,
    rounds: int,
    choices: Sequence[PromiseFor] = tuple(PromiseFor),
) -> list[KeptPromise]:
    """Draw ``rounds`` galleries of each size and let everybody else be a stranger to them.

    Each of ``choices``, the scopes of the stated risk, is held to the same galleries.

    Enrolled people give up to ``photos`` pictures, each stranger one; the threshold shown is that
    for people with so many, and everybody is held to the one for their own number. Sizes that
    leave fewer than 100 strangers are left out.
    """
    random = np.random.default_rng(SEED)
    rows_of = rows_of_everybody(population)
    kept = []
    for size in sizes:
        if len(rows_of) - size < MIN_STRANGERS:
            continue
        nearest = np.concatenate(
            [_nearest(population.faces, rows_of, size, photos, random) for _ in range(rounds)]
        )
        kept += [
            _kept(population, policy, size, risk, promise_for, nearest)
            for promise_for in choices
            for risk in risks
        ]
    return kept


def _kept(
    population: Population,
    policy: RiskPolicy,
    size: int,
    risk: float,
    promise_for: PromiseFor,
    nearest: Matrix,
) -> KeptPromise:
    """Return what one promise met, from how near strangers came by number of photos."""
    photos = nearest.shape[1]
    needed = [
        policy.promise(risk, size, photos=count, promise_for=promise_for).threshold.similarity
        for count in range(1, photos + 1)
    ]
    alarms = int(reached_somebody(nearest, np.array(needed)).sum())
    return KeptPromise(
        promise_for=promise_for,
        named=population.mixed or promise_for is PromiseFor.WORST_GROUP,
        population=population.name,
        people=size,
        photos=photos,
        stated=risk,
        threshold=needed[-1],
        supported=comparison_rate(risk, size) >= policy.rarest_rate_for(promise_for),
        met=clopper_pearson(alarms, len(nearest)),
    )


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
    centroids = np.stack(
        [mean_directions(faces[random.permutation(rows)[:photos]]) for rows in enrolled]
    )
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
