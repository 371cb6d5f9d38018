"""An evaluation as tables, for a terminal or for a model card."""

from __future__ import annotations

from training.evaluation.results import Evaluation, Strangers
from training.foundation.sheets import Sheet
from training.metrics.estimates import estimate_text
from training.metrics.results import OpenSet
from training.metrics.view2_table import VERIFICATION_HEAD, view2_rows


def evaluation_sheets(evaluation: Evaluation) -> list[Sheet]:
    """Return the tables of an evaluation, in the order in which to read them."""
    return [
        _verification(evaluation),
        _identification("Open-set identification", evaluation),
        _strangers(evaluation.strangers),
        _ranking(evaluation.ranking),
    ]


def _verification(evaluation: Evaluation) -> Sheet:
    rows = view2_rows("LFW View 2", evaluation.lfw)
    for name, result in (("LFW, all pairs", evaluation.lfw_all_pairs), ("val", evaluation.val)):
        counts = (
            f"{result.same_pairs:,} + {result.different_pairs:,} pairs; "
            f"{result.people:,} people with pairs"
        )
        for point in result.tar_at_far:
            rows.append((name, f"TAR @ FAR {point.far:g}", estimate_text(point.tar), counts))
    return Sheet("Verification, 1:1", VERIFICATION_HEAD, tuple(rows))


def _identification(title: str, evaluation: Evaluation) -> Sheet:
    rows = []
    for name, results in (("LFW", evaluation.lfw_open_set), ("val", evaluation.val_open_set)):
        for result in results:
            fnir = [estimate_text(point.fnir) for point in result.points]
            photos = str(result.photos_enrolled)
            rows.append((name, photos, *fnir, estimate_text(result.rank1), _counts(result)))
    head = ("data", "photos", "FNIR @ FPIR 10 %", "FNIR @ FPIR 1 %", "rank-1", "of")
    return Sheet(title, head, tuple(rows))


def _strangers(strangers: Strangers) -> Sheet:
    rows = []
    for pool in (strangers.overall, *strangers.pools, *strangers.small_pools):
        default = "" if pool.fmr_at_default is None else estimate_text(pool.fmr_at_default)
        counts = f"{pool.people:,} people, {pool.pairs:,} pairs"
        at_lfw = estimate_text(pool.fmr_at_lfw_threshold)
        rows.append((pool.pool, at_lfw, default, f"{pool.threshold_at_1e_3:.3f}", counts))
    default_text = (
        "no default"
        if strangers.default_threshold is None
        else f"default {strangers.default_threshold:.3f}"
    )
    rows.append(
        (
            f"worst ({strangers.worst_pool}) over overall: {strangers.worst_over_overall:.1f} x",
            f"TAR LFW {estimate_text(strangers.tar_lfw_at_worst)}",
            f"TAR val {estimate_text(strangers.tar_val_at_worst)}",
            f"{strangers.worst_threshold:.3f}",
            "TAR where the worst has FMR 1e-3",
        )
    )
    head = (
        "strangers",
        f"FMR at LFW's 1e-3 ({strangers.lfw_threshold:.3f})",
        f"FMR at {default_text}",
        "threshold at FMR 1e-3",
        "of",
    )
    return Sheet("False matches by group", head, tuple(rows))


def _ranking(ranking: tuple[OpenSet, ...]) -> Sheet:
    rows = tuple(
        (
            str(result.photos_enrolled),
            result.rule,
            *(estimate_text(point.fnir) for point in result.points),
            estimate_text(result.rank1),
            _counts(result),
        )
        for result in ranking
    )
    head = ("photos", "rule", "FNIR @ FPIR 1 %", "FNIR @ FPIR 0.1 %", "rank-1", "of")
    return Sheet("Which score ranks (val enrolled, strangers at the door)", head, rows)


def _counts(result: OpenSet) -> str:
    return (
        f"{result.gallery_people:,} people, {result.probes:,} probes, "
        f"{result.impostors:,} impostors"
    )
