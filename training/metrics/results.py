"""What was found of pairs and of identification, as records."""

from __future__ import annotations

from training.foundation.records import Record
from training.metrics.estimates import Estimate


class RateAtFar(Record):
    """How many genuine pairs are accepted (TAR) where a fraction ``far`` of the others is."""

    far: float
    threshold: float
    tar: Estimate


class Verification(Record):
    """LFW View 2: ten folds, the threshold chosen on nine, the accuracy taken on the tenth."""

    accuracy: Estimate
    standard_error: float
    fold_thresholds: tuple[float, ...]
    tar_at_far: tuple[RateAtFar, ...]
    auc: Estimate
    eer: Estimate
    same_pairs: int
    different_pairs: int


class AllPairs(Record):
    """Every pair of photos in a set of people.

    ``auc`` and ``eer`` are of these very pairs, ``None`` in records that ask for rates alone.
    """

    people: int
    same_pairs: int
    different_pairs: int
    tar_at_far: tuple[RateAtFar, ...]
    auc: Estimate | None = None
    eer: Estimate | None = None


class OpenSetPoint(Record):
    """FNIR: genuine probes whose person is not on top or below the threshold, at one FPIR."""

    fpir: float
    threshold: float
    fnir: Estimate


class OpenSet(Record):
    """Enrolled people, probes of them, and impostors who are not enrolled."""

    photos_enrolled: int
    rule: str
    gallery_people: int
    probes: int
    impostors: int
    rank1: Estimate
    points: tuple[OpenSetPoint, ...]
