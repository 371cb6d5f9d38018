"""What a calibration found: the part of the manifest that turns similarities into decisions."""

from __future__ import annotations

from training.foundation.records import Record
from training.metrics.estimates import Estimate


class PlattLine(Record):
    """A Platt line and the scores behind it; ``cllr`` in bits, 1.0 for a score that says nothing.

    ``frames``: how many were fused into each probe.
    Cllr: Brümmer and du Preez, "Application-independent evaluation of speaker detection", 2006.
    """

    photos: int
    slope: float
    intercept: float
    same_scores: int
    same_people: int
    different_scores: int
    cllr: float
    frames: int = 1


class Tail(Record):
    """Points ``(fmr, similarity)``, and an upper confidence bound of each similarity.

    ``evidence`` says of how many pairs they are, and how extrapolated.
    """

    population: str
    points: tuple[tuple[float, float], ...]
    uppers: tuple[float, ...] = ()
    extrapolated_below: float
    people: int
    pairs: int
    evidence: str


class ManifestThreshold(Record):
    """A decision threshold and the false-match rate and population that it stands for."""

    similarity: float
    false_match_rate: float
    population: str


class Thresholds(Record):
    """``identify``: known or unknown, 1:N; ``verify``: a claimed identity, 1:1."""

    identify: ManifestThreshold
    verify: ManifestThreshold


class Genuine(Record):
    """Which share of genuine probes stays below a similarity: points ``(fnmr, similarity)``."""

    photos: int
    points: tuple[tuple[float, float], ...]


class CentroidShift(Record):
    """How much more a threshold asks against a centroid of up to ``photos`` photos.

    Strangers are nearer to the mean of several photos than to one; the shift is measured at the
    rate 1e-4 and never falls with photos.
    """

    photos: int
    shift: float


class CentroidCheck(Record):
    """How strangers score against centroids of ``photos`` photos of validation people.

    ``frames``: how many were fused into a stranger's probe. ``fmr_at_identify`` and
    ``fmr_at_verify`` are at the default thresholds, of single frames; ``shift`` is how far the
    similarity at FMR ``shift_rate`` lies above that of single photos of the same people.
    """

    photos: int
    centroids: int
    pairs: int
    fmr_at_identify: float
    fmr_at_verify: float
    shift: float
    shift_rate: float
    frames: int = 1


class Cost(Record):
    """What a threshold costs: genuine scores of validation people below it."""

    threshold: str
    similarity: float
    photos: int
    fnmr: Estimate


class ExcludedPairs(Record):
    """Pairs of strangers that are in truth one person, and what leaving them in would do."""

    teacher_similarity: float | None
    pairs: tuple[tuple[str, str], ...]
    identify_if_kept: float
    note: str


class CalibrationSupport(Record):
    """An operator's own people behind a calibration; the service promises nothing beyond them."""

    people: int
    photos: int
    strangers: int
    small_groups: tuple[str, ...] = ()


class Calibration(Record):
    """All of it; the manifest's own keys are ``MANIFEST_KEYS``, the rest is their evidence."""

    model: str
    sha256: str | None
    calibration: tuple[PlattLine, ...]
    impostor_tails: tuple[Tail, ...]
    thresholds: Thresholds
    genuine: tuple[Genuine, ...]
    centroid_shifts: tuple[CentroidShift, ...] = ()
    centroid_checks: tuple[CentroidCheck, ...]
    costs: tuple[Cost, ...]
    excluded: ExcludedPairs
    support: CalibrationSupport | None = None


MANIFEST_KEYS = (
    *("calibration", "impostor_tails", "thresholds", "genuine", "centroid_shifts", "support"),
)
