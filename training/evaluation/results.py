"""What an evaluation found, as records that are written to JSON and read back by the card."""

from __future__ import annotations

from training.foundation.records import Record
from training.metrics.estimates import Estimate
from training.metrics.results import AllPairs, OpenSet, Verification


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
