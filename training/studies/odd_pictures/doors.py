"""Galleries with 1 % enrolled by odd pictures, and strangers at their door."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from app.domain.calibration import Calibration
from app.domain.decision import reached_somebody
from app.domain.policy import RiskPolicy
from app.domain.verdict import Verdict
from training.foundation.arrays import BoolArray, IntArray, Matrix
from training.metrics.estimates import Estimate
from training.metrics.intervals import bootstrap_rate
from training.studies.odd_pictures.measure import ShownPeople
from training.studies.odd_pictures.results import DoorTrial, MixedDoor
from training.studies.proof.verdicts import enrolled, identify_thresholds, verdicts

SEED = 20261127
ODD_SHARE = 0.01


class _Attempts:
    """Attempts at doors: who came, at which gallery, and whether somebody was found."""

    def __init__(self) -> None:
        self._found: list[BoolArray] = []
        self._who: list[IntArray] = []
        self._where: list[int] = []

    def add(self, found: BoolArray, who: IntArray, where: int) -> None:
        """Count the attempts ``(A,)`` of ``who`` at one gallery."""
        self._found.append(found)
        self._who.append(who)
        self._where.append(where)

    def rate(self) -> Estimate:
        """Return the share found, with the wider of two intervals: by visitors, by galleries."""
        events = np.concatenate(self._found)
        galleries = np.repeat(self._where, [len(found) for found in self._found])
        by_visitor = bootstrap_rate(events, np.concatenate(self._who))
        by_gallery = bootstrap_rate(events, galleries.astype(np.int64))
        return by_visitor.model_copy(
            update={
                "low": min(by_visitor.low, by_gallery.low),
                "high": max(by_visitor.high, by_gallery.high),
            }
        )


def try_door(
    odd: ShownPeople,
    staff: Matrix,
    visitors: Matrix,
    policy: RiskPolicy,
    people: int,
    rounds: int,
) -> DoorTrial:
    """Let strangers come to ``rounds`` galleries with 1 % enrolled by odd pictures of one kind.

    ``staff`` ``(S, D)`` are embeddings of plain enrollments, and each gallery draws its rest from
    them; ``visitors`` ``(V, D)`` of plain strangers at the door. Everybody of ``odd`` who is not
    enrolled comes by an odd picture. Where enrollment takes none of these, nobody is enrolled by
    one.
    """
    random = np.random.default_rng([SEED, people])
    able = np.flatnonzero(odd.enrolls)
    share = min(odd_count(people), len(able))
    threshold = policy.promise(policy.targets.fpir, people, photos=1).threshold.similarity
    plain, strange = _Attempts(), _Attempts()
    seen: dict[tuple[int, ...], int] = {}
    for _ in range(rounds):
        chosen = np.sort(random.permutation(able)[:share])
        where = seen.setdefault(tuple(chosen.tolist()), len(seen))
        rest = random.permutation(len(staff))[: people - share]
        gallery = np.concatenate([odd.enrolled[chosen], staff[rest]])
        plain.add(_finds(visitors, gallery, threshold), np.arange(len(visitors)), where)
        others = np.setdiff1d(np.arange(len(odd)), chosen)
        strange.add(_finds(odd.visiting[others], gallery, threshold), others, where)
    return DoorTrial(
        people=people,
        odd_enrolled=share,
        threshold=threshold,
        plain=plain.rate(),
        odd=strange.rate(),
    )


def try_mixed_door(
    kinds: Sequence[ShownPeople],
    staff: Matrix,
    visitors: Matrix,
    employees: tuple[Matrix, Matrix],
    policy: RiskPolicy,
    calibration: Calibration,
    people: int,
    rounds: int,
) -> MixedDoor:
    """Do the same with odd pictures of every kind, and count who of the staff is known.

    ``employees`` are embeddings ``(E, D)`` of one plain photo enrolled and of another at the door,
    zeros where that was refused. They take the places of staff where it is asked who is known.
    """
    random = np.random.default_rng([SEED, people, 1])
    able = [(k, n) for k, kind in enumerate(kinds) for n in np.flatnonzero(kind.enrolls).tolist()]
    share = min(odd_count(people), len(able))
    threshold = policy.promise(policy.targets.fpir, people, photos=1).threshold.similarity
    plain, strange, known = _Attempts(), _Attempts(), _Attempts()
    for where in range(rounds):
        chosen = [able[place] for place in random.permutation(len(able))[:share]]
        odd = [kinds[kind].enrolled[[person]] for kind, person in chosen]
        rest = staff[random.permutation(len(staff))[: people - share]]
        gallery = np.concatenate([*odd, rest])
        plain.add(_finds(visitors, gallery, threshold), np.arange(len(visitors)), where)
        taken = [person for _, person in chosen]
        for kind in kinds:
            others = np.setdiff1d(np.arange(len(kind)), taken)
            strange.add(_finds(kind.visiting[others], gallery, threshold), others, where)
        count = min(len(employees[0]), people - share)
        own = random.permutation(len(employees[0]))[:count]
        entries = [*employees[0][own][:, None], *odd]
        entries += [*rest[: people - share - count][:, None]]
        found = _known(entries, employees[1][own], policy, calibration)
        known.add(found, own, where)
    return MixedDoor(
        people=people,
        odd_enrolled=share,
        threshold=threshold,
        plain=plain.rate(),
        odd=strange.rate(),
        known=known.rate(),
    )


def odd_count(people: int) -> int:
    """Return how many of a gallery are enrolled by odd pictures: a hundredth, at least one."""
    return max(1, round(people * ODD_SHARE))


def _finds(probes: Matrix, gallery: Matrix, threshold: float) -> BoolArray:
    return reached_somebody(probes @ gallery.T, np.full(len(gallery), threshold))


def _known(
    entries: Sequence[Matrix], probes: Matrix, policy: RiskPolicy, calibration: Calibration
) -> BoolArray:
    """Return which probes ``(P,)`` are known as the entry of the same number."""
    gallery = enrolled(entries)
    found = verdicts(gallery, probes, calibration, identify_thresholds(gallery, policy))
    known = [
        one.verdict is Verdict.KNOWN and one.person == number for number, one in enumerate(found)
    ]
    return np.array(known, np.bool_)
