"""The one decision: from similarities to who stands there, for the service and for its proofs."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.domain.calibration import Calibration
from app.domain.matching import GallerySimilarities
from app.domain.verdict import Verdict

#: Of the two most probable people, the first must have this share of their probability.
SURE_OF_THE_FIRST = 0.99
AMBIGUITY_MARGIN = math.log(SURE_OF_THE_FIRST / (1 - SURE_OF_THE_FIRST))

#: Gives the similarity that is needed against somebody with so many enrolled photos.
Thresholds = Callable[[int], float]
#: Gives the keys of who is recorded as hard to tell from the person with this key.
LookAlikes = Callable[[int], Collection[int]]


@dataclass(frozen=True)
class Evidence:
    """What M probes say of N people, each with a key of their own.

    ``keys``, ascending, and ``photo_counts`` are ``(N,)``; ``similarities`` and ``ratios``, the log
    likelihood ratios, ``(M, N)``.
    """

    keys: npt.NDArray[np.int64]
    photo_counts: npt.NDArray[np.int64]
    similarities: npt.NDArray[np.floating]
    ratios: npt.NDArray[np.float64]

    def __post_init__(self) -> None:
        if not _ascending(self.keys):
            raise ValueError("the keys of evidence ascend, each for one person")

    @staticmethod
    def of(compared: GallerySimilarities, calibration: Calibration, frames: int = 1) -> Evidence:
        """Weigh what was compared, in whatever order; ``frames`` were fused into each probe."""
        keys, counts = compared.employee_keys, compared.photo_counts
        similarities = np.atleast_2d(compared.similarities)
        if not _ascending(keys):
            order = np.argsort(keys)
            keys, counts, similarities = keys[order], counts[order], similarities[:, order]
        ratios = calibration.log_likelihood_ratios(similarities, counts, frames)
        return Evidence(keys, counts, similarities, ratios)

    def without(self, keys: Collection[int]) -> Evidence:
        """Return what is said of everybody else."""
        if not keys:
            return self
        kept = ~np.isin(self.keys, list(keys))
        return Evidence(
            self.keys[kept],
            self.photo_counts[kept],
            self.similarities[:, kept],
            self.ratios[:, kept],
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict on one probe, and whose it is, by keys.

    ``person``: the most probable one, or who was claimed; None in an empty gallery. ``contenders``:
    who cannot be told apart where the verdict is ambiguous: that person and one other, or that
    person alone where the other is a look-alike that nothing was compared with.
    """

    verdict: Verdict
    person: int | None
    contenders: tuple[int, ...] = ()


def decide(evidence: Evidence, thresholds: Thresholds, look_alikes: LookAlikes) -> list[Decision]:
    """Return who stands there, for each of M probes: the decision of 1:N.

    The most probable person decides, held to the threshold for their number of photos; of two who
    are equally probable, the one with the lower key. It is ambiguous where a recorded look-alike of
    theirs reaches its own threshold as well, or is not in the evidence at all (suspended, or
    without a photo of the present model) and might stand there, or where the second is nearly as
    probable (``AMBIGUITY_MARGIN``), recorded or not.

    Of the probes that reach no threshold, which are most strangers, nothing is done one by one.
    """
    probes, people = evidence.ratios.shape
    if people == 0:
        return [Decision(Verdict.UNKNOWN, None)] * probes
    first = evidence.ratios.argmax(axis=1)  # of equal ones the first, which has the lowest key
    needed = _needed(evidence.photo_counts[first], thresholds)
    reached = evidence.similarities[np.arange(probes), first] >= needed
    decisions = [Decision(Verdict.UNKNOWN, key) for key in evidence.keys[first].tolist()]
    for row in np.flatnonzero(reached).tolist():
        decisions[row] = _decide_known(evidence, row, int(first[row]), thresholds, look_alikes)
    return decisions


def decide_claims(
    evidence: Evidence,
    claimed: Sequence[int],
    thresholds: Thresholds,
    look_alikes: LookAlikes,
) -> list[Decision]:
    """Return whether each of M probes is who it is ``claimed`` to be, by key: the decision of 1:1.

    The claimed person's threshold alone accepts. It is ambiguous where a recorded look-alike of
    theirs is nearly as probable (``AMBIGUITY_MARGIN``), or is not in the evidence, since nothing
    then speaks against that one; nobody else is looked at. Raises ``ValueError`` where a claimed
    person is not in the evidence.
    """
    claimed_keys = np.asarray(claimed, np.int64)
    if not np.isin(claimed_keys, evidence.keys).all():
        raise ValueError("nothing was compared with one who is claimed")
    columns = np.searchsorted(evidence.keys, claimed_keys)
    needed = _needed(evidence.photo_counts[columns], thresholds)
    reached = evidence.similarities[np.arange(len(claimed_keys)), columns] >= needed
    decisions = [Decision(Verdict.UNKNOWN, key) for key in claimed_keys.tolist()]
    for row in np.flatnonzero(reached).tolist():
        decisions[row] = _decide_accepted(evidence, row, int(columns[row]), look_alikes)
    return decisions


def reached_somebody(
    similarities: npt.NDArray[np.floating], needed: npt.NDArray[np.float64]
) -> npt.NDArray[np.bool_]:
    """Return which probes ``(M,)`` reach the threshold of one of N people or more.

    ``similarities`` is ``(M, N)``, ``needed`` ``(N,)``. It is what a stated FPIR counts (ISO/IEC
    19795-1), and no less than who is not unknown: ``decide`` asks the most probable person
    alone, which is another than the nearest only where numbers of photos differ.
    """
    return np.asarray((similarities >= needed).any(axis=1), np.bool_)


def _ascending(keys: npt.NDArray[np.int64]) -> bool:
    return bool((keys[1:] > keys[:-1]).all())


def _needed(photo_counts: npt.NDArray[np.int64], thresholds: Thresholds) -> npt.NDArray[np.float64]:
    """Return the threshold for each number of photos, each computed once."""
    needed = {photos: thresholds(photos) for photos in set(photo_counts.tolist())}
    return np.array([needed[photos] for photos in photo_counts.tolist()], np.float64)


def _decide_known(
    evidence: Evidence, row: int, first: int, thresholds: Thresholds, look_alikes: LookAlikes
) -> Decision:
    """Decide on a probe whose most probable person, at position ``first``, is reached."""
    others, unseen = _compared_look_alikes(evidence, first, look_alikes)
    needed = _needed(evidence.photo_counts[others], thresholds)
    rivals = others[evidence.similarities[row, others] >= needed]
    if len(rivals) == 0:
        probable = np.flatnonzero(_nearly_as_probable(evidence.ratios[row], first))
        rivals = probable[probable != first]
    return _between(evidence, row, first, rivals, unseen=unseen)


def _decide_accepted(
    evidence: Evidence, row: int, claimed: int, look_alikes: LookAlikes
) -> Decision:
    """Decide on a claim that reaches the threshold of who is at position ``claimed``."""
    others, unseen = _compared_look_alikes(evidence, claimed, look_alikes)
    rivals = others[_nearly_as_probable(evidence.ratios[row], claimed)[others]]
    return _between(evidence, row, claimed, rivals, unseen=unseen)


def _nearly_as_probable(ratios: npt.NDArray[np.float64], person: int) -> npt.NDArray[np.bool_]:
    """Return who is too close to this person, or more probable, ``(N,)``; the person is as well."""
    return np.asarray(ratios[person] - ratios < AMBIGUITY_MARGIN, np.bool_)


def _compared_look_alikes(
    evidence: Evidence, person: int, look_alikes: LookAlikes
) -> tuple[npt.NDArray[np.intp], bool]:
    """Return the positions of this person's look-alikes, and whether one of them has none."""
    key = int(evidence.keys[person])
    alike = [other for other in look_alikes(key) if other != key]
    if not alike:
        return np.zeros(0, np.intp), False
    columns = np.flatnonzero(np.isin(evidence.keys, alike))
    return columns, len(columns) < len(set(alike))


def _between(
    evidence: Evidence, row: int, person: int, rivals: npt.NDArray[np.intp], *, unseen: bool
) -> Decision:
    """Return the verdict on a person who is reached, given the positions of who rivals them."""
    key = int(evidence.keys[person])
    if len(rivals):
        rival = rivals[evidence.ratios[row, rivals].argmax()]
        return Decision(Verdict.AMBIGUOUS, key, (key, int(evidence.keys[rival])))
    return Decision(Verdict.AMBIGUOUS, key, (key,)) if unseen else Decision(Verdict.KNOWN, key)
