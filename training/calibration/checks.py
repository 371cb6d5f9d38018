"""What the default thresholds do: to centroids of several photos, and to genuine people."""

from __future__ import annotations

from training.calibration.results import CentroidCheck, Cost, Thresholds
from training.calibration.scores import SHIFT_RATE, Scores
from training.metrics.intervals import bootstrap_rate

LENIENT = "identify, if set on all strangers"


def check_centroids(by_photos: list[Scores], thresholds: Thresholds) -> tuple[CentroidCheck, ...]:
    """Return strangers' false-match rates against photos and centroids of validation people."""
    return tuple(
        CentroidCheck(
            photos=scores.photos,
            centroids=scores.enrolled,
            pairs=len(scores.strangers),
            fmr_at_identify=float((scores.strangers >= thresholds.identify.similarity).mean()),
            fmr_at_verify=float((scores.strangers >= thresholds.verify.similarity).mean()),
            shift=scores.shift,
            shift_rate=SHIFT_RATE,
            frames=scores.frames,
        )
        for scores in by_photos
    )


def measure_costs(
    by_photos: list[Scores], thresholds: Thresholds, lenient: Thresholds
) -> tuple[Cost, ...]:
    """Return FNMR of validation people at the defaults, and where ``lenient`` would identify."""
    limits = {
        "identify": thresholds.identify.similarity,
        "verify": thresholds.verify.similarity,
        LENIENT: lenient.identify.similarity,
    }
    return tuple(
        Cost(
            threshold=name,
            similarity=limit,
            photos=scores.photos,
            fnmr=bootstrap_rate(scores.same < limit, scores.owners),
        )
        for name, limit in limits.items()
        for scores in by_photos
    )
