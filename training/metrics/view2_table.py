"""The figures of listed pairs as rows of a table."""

from __future__ import annotations

from training.metrics.estimates import estimate_text
from training.metrics.results import Verification

VERIFICATION_HEAD = ("data", "figure", "value [95 %]", "of")


def view2_rows(name: str, found: Verification) -> list[tuple[str, ...]]:
    """Return the figures of listed pairs as rows: data, figure, value, of."""
    pairs = f"{found.same_pairs:,} + {found.different_pairs:,} pairs"
    folds = len(found.fold_thresholds)
    accuracy = f"{estimate_text(found.accuracy)} (standard error {found.standard_error:.4f})"
    rates = [(f"TAR @ FAR {p.far:g}", estimate_text(p.tar)) for p in found.tar_at_far]
    figures = [
        (f"accuracy, {folds} folds", accuracy),
        ("AUC", estimate_text(found.auc, 5)),
        ("EER", estimate_text(found.eer)),
        *rates,
    ]
    return [(name, figure, value, pairs) for figure, value in figures]
