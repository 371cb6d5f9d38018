"""False matches among strangers, who are all different: overall and within group and gender."""

from __future__ import annotations

import numpy as np

from training.data.populations import Pool
from training.evaluation.results import PoolFalseMatches, Strangers
from training.foundation.arrays import IntArray, Matrix
from training.foundation.errors import DataError
from training.metrics.intervals import bootstrap_rate, vertex_bootstrap
from training.metrics.pairs import pair_similarities, pairs_at_or_above
from training.metrics.verification import threshold_at_far

MIN_PEOPLE = 400  # smaller pools have too few pairs to set a threshold by
REPORTED_PEOPLE = 80  # still enough for a rate of 1e-2
LFW_RATE = 1e-3


def match_strangers(
    strangers: Matrix,
    pools: list[Pool],
    genuine_lfw: tuple[Matrix, IntArray],
    genuine_val: tuple[Matrix, IntArray],
    lfw_threshold: float,
    default_threshold: float | None,
) -> Strangers:
    """Return false-match rates at the LFW and the default threshold, and what fairness costs.

    ``genuine_*`` are similarities of same-person pairs and whose they are. The cost is the TAR at
    the threshold where the worst pool has FMR 1e-3. Raises ``DataError`` without a pool
    of 400 people.
    """
    everyone = Pool("all strangers", np.arange(len(strangers)))
    overall = match_pool(strangers, everyone, lfw_threshold, default_threshold)
    matched = [match_pool(strangers, pool, lfw_threshold, default_threshold) for pool in pools]
    large = [pool for pool in matched if pool.people >= MIN_PEOPLE]
    if not large:
        raise DataError(f"no group and gender has {MIN_PEOPLE} strangers")
    worst = max(large, key=lambda pool: pool.threshold_at_1e_3)
    limit = worst.threshold_at_1e_3
    return Strangers(
        lfw_threshold=lfw_threshold,
        default_threshold=default_threshold,
        overall=overall,
        pools=tuple(large),
        small_pools=tuple(pool for pool in matched if pool.people < MIN_PEOPLE),
        worst_pool=worst.pool,
        worst_over_overall=worst.fmr_at_lfw_threshold.value / overall.fmr_at_lfw_threshold.value
        if overall.fmr_at_lfw_threshold.value
        else float(worst.fmr_at_lfw_threshold.value > 0),
        worst_threshold=limit,
        tar_lfw_at_worst=bootstrap_rate(genuine_lfw[0] >= limit, genuine_lfw[1]),
        tar_val_at_worst=bootstrap_rate(genuine_val[0] >= limit, genuine_val[1]),
    )


def match_pool(
    strangers: Matrix, pool: Pool, lfw_threshold: float, default_threshold: float | None
) -> PoolFalseMatches:
    """Return one pool's false-match rates, with intervals that resample its people."""
    members = strangers[pool.rows]
    people = len(members)
    at_lfw = vertex_bootstrap(pairs_at_or_above(members, lfw_threshold), people)
    at_default = None
    if default_threshold is not None:
        at_default = vertex_bootstrap(pairs_at_or_above(members, default_threshold), people)
    return PoolFalseMatches(
        pool=pool.name,
        people=people,
        pairs=people * (people - 1) // 2,
        fmr_at_lfw_threshold=at_lfw,
        fmr_at_default=at_default,
        threshold_at_1e_3=threshold_at_far(pair_similarities(members), LFW_RATE),
    )
