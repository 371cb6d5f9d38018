"""An evaluation made by hand, for whatever prints or compares one."""

from __future__ import annotations

from training.evaluation.results import Evaluation, PoolFalseMatches, Strangers
from training.metrics.estimates import Estimate
from training.metrics.results import AllPairs, OpenSet, OpenSetPoint, RateAtFar, Verification


def certain(value: float) -> Estimate:
    """Return a value with an interval of its own width."""
    return Estimate(value=value, low=value, high=value, trials=100)


def made_evaluation(model: str, val_tar: float) -> Evaluation:
    """Return figures that differ by the model's name and its TAR on validation people alone."""
    half = certain(0.5)
    pairs = AllPairs(
        people=10,
        same_pairs=20,
        different_pairs=30,
        tar_at_far=(RateAtFar(far=1e-3, threshold=0.4, tar=certain(val_tar)),),
    )
    open_sets = tuple(
        OpenSet(
            photos_enrolled=photos,
            rule="centroid",
            gallery_people=5,
            probes=10,
            impostors=20,
            rank1=half,
            points=(OpenSetPoint(fpir=0.01, threshold=0.4, fnir=half),),
        )
        for photos in (1, 3)
    )
    pool = PoolFalseMatches(
        pool="all strangers",
        people=10,
        pairs=45,
        fmr_at_lfw_threshold=half,
        fmr_at_default=None,
        threshold_at_1e_3=0.4,
    )
    return Evaluation(
        model=model,
        sha256=None,
        lfw=Verification(
            accuracy=half,
            standard_error=0.01,
            fold_thresholds=(0.4,),
            tar_at_far=(),
            auc=half,
            eer=half,
            same_pairs=10,
            different_pairs=10,
        ),
        lfw_all_pairs=pairs,
        lfw_open_set=open_sets,
        val=pairs,
        val_open_set=open_sets,
        strangers=Strangers(
            lfw_threshold=0.4,
            default_threshold=None,
            overall=pool,
            pools=(),
            small_pools=(),
            worst_pool="all strangers",
            worst_over_overall=4.0,
            worst_threshold=0.4,
            tar_lfw_at_worst=half,
            tar_val_at_worst=half,
        ),
        ranking=(),
    )
