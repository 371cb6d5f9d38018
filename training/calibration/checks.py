"""What the default thresholds do: to centroids of several photos, and to genuine people."""

from __future__ import annotations

import numpy as np

from training.calibration.results import CentroidCheck, Cost, Thresholds
from training.calibration.scores import Scores
from training.evaluation.intervals import bootstrap_rate

SHIFT_RATE = 1e-4  # rare enough to speak of the tail, frequent enough to be measured
LENIENT = "identify, if set on all strangers"


def centroid_shifts(by_photos: list[Scores]) -> dict[int, float]:
    """Return by number of photos how far strangers score above what they score against one photo.

    At the rate 1e-4, against validation people; zero for one photo, never less than zero.
    """
    reached = {}
    for scores in by_photos:
        place = min(len(scores.strangers) - 1, round(len(scores.strangers) * (1 - SHIFT_RATE)))
        reached[scores.photos] = float(np.partition(scores.strangers, place)[place])
    return {photos: max(0.0, value - reached[1]) for photos, value in reached.items()}


def check_centroids(
    by_photos: list[Scores], shifts: dict[int, float], thresholds: Thresholds
) -> tuple[CentroidCheck, ...]:
    """Return strangers' false-match rates against photos and centroids of validation people."""
    return tuple(
        CentroidCheck(
            photos=scores.photos,
            centroids=scores.enrolled,
            pairs=len(scores.strangers),
            fmr_at_identify=float((scores.strangers >= thresholds.identify.similarity).mean()),
            fmr_at_verify=float((scores.strangers >= thresholds.verify.similarity).mean()),
            shift=shifts[scores.photos],
            shift_rate=SHIFT_RATE,
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
