"""A calibration as tables."""

from __future__ import annotations

from training.calibration.results import Calibration, Tail
from training.foundation.sheets import Sheet
from training.metrics.estimates import estimate_text


def calibration_sheets(calibration: Calibration) -> list[Sheet]:
    """Return the tables of a calibration, in the order in which to read them."""
    return [
        _thresholds(calibration),
        _tails(calibration),
        _lines(calibration),
        _centroids(calibration),
    ]


def _thresholds(calibration: Calibration) -> Sheet:
    by_name = calibration.thresholds.model_dump()
    lenient = {"false_match_rate": calibration.thresholds.identify.false_match_rate}
    rows = []
    for cost in calibration.costs:
        limit = by_name.get(cost.threshold, lenient)
        population = limit.get("population", calibration.impostor_tails[0].population)
        rows.append(
            (
                cost.threshold,
                f"{cost.similarity:.3f}",
                f"{limit['false_match_rate']:g}, {population}",
                str(cost.photos),
                estimate_text(cost.fnmr),
            )
        )
    head = ("threshold", "similarity", "FMR", "photos", "FNMR on val")
    return Sheet("Default thresholds and their cost", head, tuple(rows))


def _tails(calibration: Calibration) -> Sheet:
    tails = calibration.impostor_tails
    rows = []
    for rate in sorted({rate for tail in tails for rate, _ in tail.points}, reverse=True):
        rows.append((f"{rate:.1e}", *(_reached(tail, rate) for tail in tails)))
    names = tuple(tail.population for tail in tails)
    return Sheet(
        "Similarity reached by different people (* extrapolated; < upper confidence bound, 95 %)",
        ("FMR", *names),
        tuple(rows),
    )


def _reached(tail: Tail, rate: float) -> str:
    """Return what the tail has to say of this rate: nothing, where it does not support it."""
    for (point, similarity), upper in zip(tail.points, tail.uppers, strict=True):
        if point == rate:
            mark = "*" if rate < tail.extrapolated_below else ""
            return f"{similarity:.3f}{mark} < {upper:.3f}"
    return ""


def _lines(calibration: Calibration) -> Sheet:
    rows = tuple(
        (
            str(line.frames),
            str(line.photos),
            f"{line.slope:.2f}",
            f"{line.intercept:.2f}",
            f"{line.cllr:.4f}",
            f"{line.same_scores:,} of {line.same_people:,} people + {line.different_scores:,}",
        )
        for line in calibration.calibration
    )
    head = ("frames", "photos", "slope", "intercept", "Cllr (bits)", "of")
    return Sheet("Platt lines: similarity to log-likelihood ratio", head, rows)


def _centroids(calibration: Calibration) -> Sheet:
    rows = tuple(
        (
            str(check.frames),
            str(check.photos),
            _rate(check.fmr_at_identify),
            _rate(check.fmr_at_verify),
            f"{check.shift:+.3f}",
            f"{check.centroids:,} enrolled, {check.pairs:,} pairs",
        )
        for check in calibration.centroid_checks
    )
    head = ("frames", "photos", "FMR at identify", "FMR at verify", "shift at FMR 1e-4", "of")
    return Sheet("Strangers against photos and centroids of val", head, rows)


def _rate(value: float) -> str:
    return f"{value:.1e}" if value else "none"
