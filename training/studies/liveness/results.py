"""What the active challenge lets pass, as records that are written to JSON and docs/trust.md."""

from __future__ import annotations

from training.foundation.records import Record
from training.metrics.estimates import Estimate


class MotionCheck(Record):
    """Bursts of one kind that passed: for heads 1 - BPCER, for attacks APCER (ISO/IEC 30107-3)."""

    kind: str
    attack: bool
    passed: Estimate


class NoiseLevel(Record):
    """All kinds at one scatter of the landmarks, in face heights."""

    scatter: float
    checks: tuple[MotionCheck, ...]


class LivenessReport(Record):
    """Everything that ``python -m training study liveness`` measured.

    ``scatter_by_landmark``: of the detector, over retakes of photos, in face heights. Of the photo
    with most it is ``worst_scatter``. ``pictures``: whole pictures under the detector itself.
    """

    photos: int
    retakes: int
    scatter_by_landmark: tuple[float, ...]
    worst_scatter: float
    levels: tuple[NoiseLevel, ...]
    pictures: tuple[MotionCheck, ...]
