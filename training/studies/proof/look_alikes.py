"""Look-alikes that do not exist, enrolled among others: noticed, and told apart at the door."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from app.domain.calibration import Calibration
from app.domain.policy import RiskPolicy
from training.foundation.arrays import Matrix
from training.foundation.records import Record
from training.metrics.estimates import Estimate
from training.metrics.intervals import clopper_pearson
from training.studies.planted_audit.twins import TwinPlan
from training.studies.proof.promises import SEED, Population, rows_of_everybody
from training.studies.proof.verdicts import (
    NOBODY,
    CountedVerdicts,
    Enrolled,
    VerdictShares,
    claim_thresholds,
    claim_verdicts,
    enrolled,
    identify_thresholds,
    verdicts,
)

PERSON, TWIN = 0, 1
#: Of a twin who is recorded and in no index.
SUSPENDED = 1_000_000


class LookAlikeTrial(Record):
    """Twins by blending among other people: noticed at enrollment, and then at the door.

    A pair is recorded where it is noticed, but for ``unrecorded``. ``suspended``: the twin is in no
    index; the person comes, and the twin, who should be unknown. ``own_claims``: each claims to be
    who it is; ``false_claims``: each claims to be the other, which is right where it is refused.
    """

    noticed: Estimate
    recorded: VerdictShares
    unrecorded: VerdictShares
    suspended: VerdictShares
    own_claims: VerdictShares
    false_claims: VerdictShares

    @property
    def rows(self) -> list[VerdictShares]:
        """Everything but how many are noticed, as a table has it."""
        return [
            self.recorded,
            self.unrecorded,
            self.suspended,
            self.own_claims,
            self.false_claims,
        ]


@dataclass(frozen=True)
class _Twins:
    """One person, a twin and others, by their photos, and who comes to the door.

    ``photos``: each ``(K, D)``, the person first and the twin second. ``probes`` ``(M, D)``,
    ``truth`` says which of the two each of them is.
    """

    photos: list[Matrix]
    probes: Matrix
    truth: list[int]


def prove_look_alikes(
    population: Population,
    plans: Sequence[TwinPlan],
    twins: Matrix,
    calibration: Calibration,
    policy: RiskPolicy,
    guard: float,
    people: int,
) -> LookAlikeTrial:
    """Enroll each person, a twin of theirs and others, ``people`` in all, and answer both.

    ``twins`` ``(T * K, D)`` are the twins' pictures, plan after plan, the last of each the probe;
    a twin is recorded as a look-alike where its centroid reaches ``guard`` with the person's, as
    the guard of enrollment asks (and somebody confirms).
    """
    each = len(twins) // len(plans)
    noticed = 0
    kinds = ("recorded", "unrecorded", "suspended", "own_claims", "false_claims")
    counted = {kind: CountedVerdicts() for kind in kinds}
    for drawn in _draw(population, plans, twins, people):
        plain = enrolled(drawn.photos)
        seen = bool(plain.centroids[PERSON] @ plain.centroids[TWIN] >= guard)
        noticed += seen
        recorded = enrolled(drawn.photos, [(PERSON, TWIN)] if seen else [])
        alone = enrolled(
            [drawn.photos[PERSON], *drawn.photos[TWIN + 1 :]],
            [(PERSON, SUSPENDED)] if seen else [],
        )
        away = [PERSON if true == PERSON else NOBODY for true in drawn.truth]
        for kind, gallery, truth in (
            ("recorded", recorded, drawn.truth),
            ("unrecorded", plain, drawn.truth),
            ("suspended", alone, away),
        ):
            thresholds = identify_thresholds(gallery, policy)
            counted[kind].add(verdicts(gallery, drawn.probes, calibration, thresholds), truth)
        _count_claims(counted, recorded, drawn, calibration, policy)
    return LookAlikeTrial(
        noticed=clopper_pearson(noticed, len(plans)),
        recorded=counted["recorded"].shares("twins, recorded where noticed", people, each),
        unrecorded=counted["unrecorded"].shares("twins, nothing recorded", people, each),
        suspended=counted["suspended"].shares("twins, one of them suspended", people - 1, each),
        own_claims=counted["own_claims"].shares("twins who claim to be themselves", people, each),
        false_claims=counted["false_claims"].shares(
            "twins who claim to be the other", people, each
        ),
    )


def _count_claims(
    counted: dict[str, CountedVerdicts],
    gallery: Enrolled,
    drawn: _Twins,
    calibration: Calibration,
    policy: RiskPolicy,
) -> None:
    """Count what each is answered who claims to be themselves, and to be the other."""
    thresholds = claim_thresholds(gallery, policy)
    others = [TWIN if true == PERSON else PERSON for true in drawn.truth]
    for kind, claimed, truth in (
        ("own_claims", drawn.truth, drawn.truth),
        ("false_claims", others, [NOBODY] * len(others)),
    ):
        answers = claim_verdicts(gallery, drawn.probes, claimed, calibration, thresholds)
        counted[kind].add(answers, truth)


def _draw(
    population: Population, plans: Sequence[TwinPlan], twins: Matrix, people: int
) -> Iterator[_Twins]:
    """Yield each pair of twins among others, with who comes to the door."""
    random = np.random.default_rng(SEED + 3)
    rows_of = dict(enumerate(rows_of_everybody(population)))
    number_of = {int(population.people[rows[0]]): n for n, rows in rows_of.items()}
    each = len(twins) // len(plans)
    for position, plan in enumerate(plans):
        pictures = twins[position * each : (position + 1) * each]
        person, mate = number_of[plan.person], number_of[plan.mate]
        rest = [n for n in random.permutation(len(rows_of)).tolist() if n not in (person, mate)]
        own = np.setdiff1d(rows_of[person], plan.own)[:each]
        yield _Twins(
            photos=[
                population.faces[own],
                pictures[:-1],
                *(population.faces[rows_of[n][:each]] for n in rest[: people - 2]),
            ],
            probes=np.concatenate([population.faces[plan.own], pictures[-1:]]),
            truth=[PERSON] * len(plan.own) + [TWIN],
        )
