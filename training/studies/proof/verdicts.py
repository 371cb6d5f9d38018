"""The three verdicts, of people nothing was fitted on, and with look-alikes enrolled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.domain.calibration import Calibration
from app.domain.policy import RiskPolicy
from app.domain.verdict import Verdict, judge
from training.foundation.arrays import FloatArray, IntArray, Matrix
from training.foundation.records import Record
from training.metrics.estimates import Estimate
from training.metrics.intervals import clopper_pearson
from training.studies.planted_audit.twins import TwinPlan
from training.studies.proof.promises import SEED, Population, rows_of_everybody

NOBODY = -1
MOST_STRANGERS = 1_000


class VerdictShares(Record):
    """What was answered to ``who``, with exact binomial intervals of attempts.

    ``right``: known as who it is, of a stranger unknown; ``another``: known as somebody else;
    ``missed``: an employee who was called unknown, for strangers 0.
    """

    who: str
    people: int
    photos: int
    right: Estimate
    another: Estimate
    ambiguous: Estimate
    missed: Estimate


@dataclass(frozen=True)
class Enrolled:
    """Centroids ``(N, D)``, of how many photos ``(N,)``, and pairs recorded as look-alikes."""

    centroids: Matrix
    photos: IntArray
    look_alikes: frozenset[frozenset[int]] = frozenset()


def verdicts(
    gallery: Enrolled, probes: Matrix, calibration: Calibration, asked: FloatArray
) -> tuple[list[Verdict], IntArray]:
    """Return the verdict on each probe ``(M, D)``, and whom it was on, ``(M,)``.

    ``asked`` ``(N,)`` is each enrolled person's threshold.

    A recorded pair is ambiguous where both reach the threshold, two others where they are too close
    by their likelihood ratios, as in ``app.services.recognition``.
    """
    similarities = probes @ gallery.centroids.T
    found, first = [], []
    for row in similarities:
        ratios = calibration.log_likelihood_ratios(row, gallery.photos)
        order = np.argsort(-ratios)
        best = int(order[0])
        margin = float(ratios[order[0]] - ratios[order[1]]) if len(order) > 1 else None
        rival = any(
            frozenset((best, other)) in gallery.look_alikes
            for other in np.flatnonzero(row >= asked).tolist()
        )
        found.append(judge(float(row[best]), float(asked[best]), margin, look_alike=rival))
        first.append(best)
    return found, np.array(first, np.int64)


class _Counted:
    """Answers counted against who it was."""

    def __init__(self) -> None:
        self.right = self.another = self.ambiguous = self.missed = self.attempts = 0

    def add(self, answers: tuple[list[Verdict], IntArray], truth: Sequence[int] | None) -> None:
        """Count verdicts and whom they are on; ``truth`` is None where all are strangers."""
        told = truth if truth is not None else [NOBODY] * len(answers[0])
        for verdict, first, true in zip(*answers, told, strict=True):
            self.attempts += 1
            if verdict is Verdict.AMBIGUOUS:
                self.ambiguous += 1
            elif verdict is Verdict.UNKNOWN:
                self.right += true == NOBODY
                self.missed += true != NOBODY
            else:
                self.right += int(first) == true
                self.another += int(first) != true

    def shares(self, who: str, people: int, photos: int) -> VerdictShares:
        """Return what was counted as shares of all attempts."""
        right, another, ambiguous, missed = (
            clopper_pearson(count, self.attempts)
            for count in (self.right, self.another, self.ambiguous, self.missed)
        )
        return VerdictShares(
            who=who,
            people=people,
            photos=photos,
            right=right,
            another=another,
            ambiguous=ambiguous,
            missed=missed,
        )


def prove_verdicts(
    population: Population,
    calibration: Calibration,
    policy: RiskPolicy,
    sizes: Sequence[int],
    photos: int,
    rounds: int,
) -> list[VerdictShares]:
    """Answer enrolled people and strangers at ``rounds`` galleries of each size.

    Who is enrolled gives up to ``photos`` pictures and keeps one for a probe, so that only people
    of two pictures and more are; each stranger gives one.
    """
    random = np.random.default_rng(SEED + 2)
    rows_of = rows_of_everybody(population)
    able = [number for number, rows in enumerate(rows_of) if len(rows) > 1]
    found = []
    for size in sizes:
        genuine, foreign = _Counted(), _Counted()
        for _ in range(rounds):
            chosen = random.permutation(able)[:size]
            drawn = [random.permutation(rows_of[number])[: photos + 1] for number in chosen]
            gallery = enrolled([population.faces[rows[1:]] for rows in drawn])
            asked = thresholds_of(gallery, policy)
            own = population.faces[[int(rows[0]) for rows in drawn]]
            others = np.setdiff1d(np.arange(len(rows_of)), chosen)
            others = random.permutation(others)[:MOST_STRANGERS]
            strangers = population.faces[[int(random.choice(rows_of[n])) for n in others]]
            genuine.add(verdicts(gallery, own, calibration, asked), range(len(own)))
            foreign.add(verdicts(gallery, strangers, calibration, asked), None)
        found.append(genuine.shares("employees", size, photos))
        found.append(foreign.shares("strangers", size, photos))
    return found


def enrolled(photos: Sequence[Matrix], pairs: Sequence[tuple[int, int]] = ()) -> Enrolled:
    """Return a gallery of people by their photos, each ``(K, D)``, with these look-alikes."""
    sums = np.stack([each.sum(axis=0) for each in photos])
    unit: Matrix = sums / np.linalg.norm(sums, axis=1, keepdims=True)
    counts = np.array([len(each) for each in photos], np.int64)
    return Enrolled(unit, counts, frozenset(frozenset(pair) for pair in pairs))


def thresholds_of(gallery: Enrolled, policy: RiskPolicy) -> FloatArray:
    """Return what the policy asks of each of a gallery, ``(N,)``, by the number of photos."""
    size, fpir = len(gallery.photos), policy.targets.fpir
    of = {
        photos: policy.promise(fpir, size, photos=photos).threshold.similarity
        for photos in np.unique(gallery.photos).tolist()
    }
    return np.array([of[photos] for photos in gallery.photos.tolist()])


class LookAlikeTrial(Record):
    """Twins by blending among other people: noticed at enrolment, and then at the door."""

    noticed: Estimate
    recorded: VerdictShares
    unrecorded: VerdictShares


def prove_look_alikes(
    population: Population,
    plans: Sequence[TwinPlan],
    twins: Matrix,
    calibration: Calibration,
    policy: RiskPolicy,
    guard: float,
    people: int,
) -> LookAlikeTrial:
    """Enrol each person, a twin of theirs and others, ``people`` in all, and answer both.

    ``twins`` ``(T * K, D)`` are the twins' pictures, plan after plan, the last of each the probe;
    a twin is recorded as a look-alike where its centroid reaches ``guard`` with the person's, as
    the guard of enrolment asks (and somebody confirms).
    """
    random = np.random.default_rng(SEED + 3)
    rows_of = dict(enumerate(rows_of_everybody(population)))
    number_of = {int(population.people[rows[0]]): n for n, rows in rows_of.items()}
    each = len(twins) // len(plans)
    noticed = 0
    counted = {True: _Counted(), False: _Counted()}
    for position, plan in enumerate(plans):
        pictures = twins[position * each : (position + 1) * each]
        person, mate = number_of[plan.person], number_of[plan.mate]
        rest = [n for n in random.permutation(len(rows_of)).tolist() if n not in (person, mate)]
        own = np.setdiff1d(rows_of[person], plan.own)[:each]
        photos = [population.faces[own], pictures[:-1]]
        photos += [population.faces[rows_of[n][:each]] for n in rest[: people - 2]]
        plain = enrolled(photos)
        seen = bool(plain.centroids[0] @ plain.centroids[1] >= guard)
        noticed += seen
        probes = np.concatenate([population.faces[plan.own], pictures[-1:]])
        truth = [0] * len(plan.own) + [1]
        for kept, into in counted.items():
            gallery = enrolled(photos, [(0, 1)] if kept and seen else [])
            asked = thresholds_of(gallery, policy)
            into.add(verdicts(gallery, probes, calibration, asked), truth)
    return LookAlikeTrial(
        noticed=clopper_pearson(noticed, len(plans)),
        recorded=counted[True].shares("twins, recorded where noticed", people, each),
        unrecorded=counted[False].shares("twins, nothing recorded", people, each),
    )
