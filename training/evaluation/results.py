"""What an evaluation found, as records that are written to JSON and read back by the card."""

from __future__ import annotations

from training.foundation.records import Record


class Estimate(Record):
    """A measured value with its 95 % interval and the number of trials (or pairs) behind it."""

    value: float
    low: float
    high: float
    trials: int


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
    """Every pair of photos in a set of people."""

    people: int
    same_pairs: int
    different_pairs: int
    tar_at_far: tuple[RateAtFar, ...]


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


class PoolFalseMatches(Record):
    """False matches among strangers of one pool; ``fmr_at_default`` where a manifest sets one."""

    pool: str
    people: int
    pairs: int
    fmr_at_lfw_threshold: Estimate
    fmr_at_default: Estimate | None
    threshold_at_1e_3: float


class Strangers(Record):
    """Everyone is somebody else: false matches overall and within one group and gender.

    ``lfw_threshold`` gives FMR 1e-3 over all pairs of different people in LFW;
    ``worst_threshold`` gives FMR 1e-3 in the worst pool, and the two TARs are taken there.
    ``small_pools`` have too few people to set a threshold by; they are reported, not used.
    """

    lfw_threshold: float
    default_threshold: float | None
    overall: PoolFalseMatches
    pools: tuple[PoolFalseMatches, ...]
    small_pools: tuple[PoolFalseMatches, ...]
    worst_pool: str
    worst_over_overall: float
    worst_threshold: float
    tar_lfw_at_worst: Estimate
    tar_val_at_worst: Estimate


class Evaluation(Record):
    """Everything that ``python -m training evaluate`` measures of one model."""

    model: str
    sha256: str | None
    lfw: Verification
    lfw_all_pairs: AllPairs
    lfw_open_set: tuple[OpenSet, ...]
    val: AllPairs
    val_open_set: tuple[OpenSet, ...]
    strangers: Strangers
    ranking: tuple[OpenSet, ...]
