"""Figures of an audit in words, the same on the page and in a terminal."""

from __future__ import annotations

import math

from app.domain.audit.advice import PROMISED_TO, percent
from app.domain.audit.result import AuditThresholds


def thresholds_text(thresholds: AuditThresholds) -> str:
    """Return in words at which similarities the service decides, and the risk behind them."""
    fewer = "".join(
        f"; of {photos} photo{'s' if photos > 1 else ''} {identify:.4f} and {verify:.4f}"
        for (photos, identify), (_, verify) in zip(
            thresholds.identify_of, thresholds.verify_of, strict=True
        )
        if identify < thresholds.identify or verify < thresholds.verify
    )
    whose = " against people with the most photos" if fewer else ""
    return (
        f"Thresholds{whose}: 1:N {thresholds.identify:.4f} (stated FPIR "
        f"{percent(thresholds.stated_fpir)}, promised to {PROMISED_TO[thresholds.promise_for]}) "
        f"and 1:1 {thresholds.verify:.4f}{fewer}; second enrollment {thresholds.duplicate:.4f}"
    )


def similarity_text(similarity: float | None) -> str:
    """Return a similarity for people; a dash where there is none."""
    return "-" if similarity is None else f"{similarity:.3f}"


def ratio_text(log_likelihood_ratio: float) -> str:
    """Return a likelihood ratio for people: one person against two, as a power of ten."""
    return f"1e{log_likelihood_ratio / math.log(10):+.1f}"
