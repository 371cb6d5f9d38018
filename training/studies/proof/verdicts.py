"""The three verdicts, of people nothing was fitted on, and with look-alikes enrolled.

What is counted is the service's own decision (``app.domain.decision``), at the thresholds that its
policy asks for in such a gallery.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from app.domain.calibration import Calibration
from app.domain.decision import Decision, Evidence, Thresholds, decide, decide_claims
from app.domain.embeddings import mean_directions
from app.domain.matching import GallerySimilarities
from app.domain.own_strangers import count_own_strangers
from app.domain.policy import RiskPolicy
from app.domain.verdict import Verdict
from training.foundation.arrays import IntArray, Matrix
from training.foundation.records import Record
from training.metrics.estimates import Estimate
from training.metrics.intervals import clopper_pearson
from training.studies.proof.promises import SEED, Population, rows_of_everybody

NOBODY = -1
MAX_STRANGERS = 1_000


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
    """Centroids ``(N, D)``, of how many photos ``(N,)``, and pairs recorded as look-alikes.

    People are told by their position. A pair may name somebody of N and above: who is recorded and
    in no index, as the suspended are.
    """

    centroids: Matrix
    photos: IntArray
    look_alikes: frozenset[frozenset[int]] = frozenset()

    def evidence(self, probes: Matrix, calibration: Calibration) -> Evidence:
        """Return what probes ``(M, D)`` say of everybody, as the service weighs it."""
        people = np.arange(len(self.photos), dtype=np.int64)
        compared = GallerySimilarities(people, probes @ self.centroids.T, self.photos)
        return Evidence.of(compared, calibration)

    def look_alikes_of(self, person: int) -> list[int]:
        """Return who is recorded as hard to tell from this person."""
        pairs = [pair for pair in self.look_alikes if person in pair]
        return sorted({other for pair in pairs for other in pair} - {person})


def verdicts(
    gallery: Enrolled, probes: Matrix, calibration: Calibration, thresholds: Thresholds
) -> list[Decision]:
    """Return what the service would answer to each probe ``(M, D)``: who is this."""
    return decide(gallery.evidence(probes, calibration), thresholds, gallery.look_alikes_of)


def claim_verdicts(
    gallery: Enrolled,
    probes: Matrix,
    claimed: Sequence[int],
    calibration: Calibration,
    thresholds: Thresholds,
) -> list[Decision]:
    """Return what the service would answer to each probe ``(M, D)``: is this who is claimed."""
    evidence = gallery.evidence(probes, calibration)
    return decide_claims(evidence, claimed, thresholds, gallery.look_alikes_of)


class CountedVerdicts:
    """Answers counted against who it was."""

    def __init__(self) -> None:
        self.right = self.another = self.ambiguous = self.missed = self.attempts = 0

    def add(self, decisions: Sequence[Decision], truth: Sequence[int]) -> None:
        """Count decisions; ``truth`` is who stands there, ``NOBODY`` for a stranger or a liar."""
        for decision, true in zip(decisions, truth, strict=True):
            self.attempts += 1
            if decision.verdict is Verdict.AMBIGUOUS:
                self.ambiguous += 1
            elif decision.verdict is Verdict.UNKNOWN:
                self.right += true == NOBODY
                self.missed += true != NOBODY
            else:
                self.right += decision.person == true
                self.another += decision.person != true

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
        genuine, foreign = CountedVerdicts(), CountedVerdicts()
        for _ in range(rounds):
            chosen = random.permutation(able)[:size]
            drawn = [random.permutation(rows_of[number])[: photos + 1] for number in chosen]
            gallery = enrolled([population.faces[rows[1:]] for rows in drawn])
            thresholds = identify_thresholds(gallery, policy)
            own = population.faces[[int(rows[0]) for rows in drawn]]
            others = np.setdiff1d(np.arange(len(rows_of)), chosen)
            others = random.permutation(others)[:MAX_STRANGERS]
            strangers = population.faces[[int(random.choice(rows_of[n])) for n in others]]
            genuine.add(verdicts(gallery, own, calibration, thresholds), range(len(own)))
            foreign.add(
                verdicts(gallery, strangers, calibration, thresholds), [NOBODY] * len(strangers)
            )
        found.append(genuine.shares("employees", size, photos))
        found.append(foreign.shares("strangers", size, photos))
    return found


def enrolled(photos: Sequence[Matrix], pairs: Sequence[tuple[int, int]] = ()) -> Enrolled:
    """Return a gallery of people by their photos, each ``(K, D)``, with these look-alikes."""
    middles = np.stack([mean_directions(each) for each in photos])
    counts = np.array([len(each) for each in photos], np.int64)
    return Enrolled(middles, counts, frozenset(frozenset(pair) for pair in pairs))


def identify_thresholds(gallery: Enrolled, policy: RiskPolicy) -> Thresholds:
    """Return what the service asks for where it is asked who this is, by number of photos."""
    return _thresholds(gallery, policy, policy.targets.fpir, len(gallery.photos))


def claim_thresholds(gallery: Enrolled, policy: RiskPolicy) -> Thresholds:
    """Return what the service asks of a claim, by number of photos."""
    return _thresholds(gallery, policy, policy.targets.fmr, 1)


def _thresholds(gallery: Enrolled, policy: RiskPolicy, rate: float, people: int) -> Thresholds:
    own = count_own_strangers(gallery.centroids, policy)
    floor = None if own is None else own.floor(rate, people, policy)

    @cache
    def threshold(photos: int) -> float:
        return policy.promise(rate, people, floor, photos=photos).threshold.similarity

    return threshold
