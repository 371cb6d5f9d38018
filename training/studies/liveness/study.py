"""What the active challenge refuses and what it lets pass: APCER and BPCER."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from app.domain.challenges import MOTION_LIMITS
from app.domain.model_manifest import ModelManifest
from app.vision.detector import FaceDetector
from app.vision.opencv import configure_opencv
from app.vision.weights import read_detector_weights
from training.evaluation.embedders import ExportedEmbedder, read_manifest
from training.foundation.device import choose_device
from training.foundation.sheets import Sheet
from training.metrics.intervals import SEED
from training.studies.liveness.measure import measure_motion
from training.studies.liveness.noise import measure_noise
from training.studies.liveness.pictures import measure_pictures
from training.studies.liveness.real_heads import measure_links, measure_real_heads, read_heads
from training.studies.liveness.results import LivenessReport, MotionCheck

PHOTOS = Path("tests/fixtures/people")
REAL_PHOTOS = "photos.tar"
WARPS_EACH = 2


def run(
    data: Path,
    model: Path,
    *,
    photos: Path = PHOTOS,
    bursts: int = 1_000,
    nose_depth: float = MOTION_LIMITS.nose_depth,
) -> LivenessReport:
    """Measure the challenge on made heads, on pictures of them, and on real photos below ``data``.

    ``photos`` is a folder on which the landmarks' scatter is measured, ``bursts`` how many of each
    kind are made, ``nose_depth`` another least depth of the nose, in face heights.
    """
    limits = dataclasses.replace(MOTION_LIMITS, nose_depth=nose_depth)
    configure_opencv(threads=1)
    detector = FaceDetector(read_detector_weights(None))
    noise = measure_noise(detector, photos, SEED)
    levels = [measure_motion(noise.overall * times, bursts, SEED, limits) for times in (1.0, 2.0)]
    pictures = measure_pictures(detector, photos, WARPS_EACH, SEED, limits)
    if (data / REAL_PHOTOS).is_file():
        heads = read_heads(data / REAL_PHOTOS)
        embedder = ExportedEmbedder(model, choose_device("cpu"))
        links = measure_links(
            heads,
            data / REAL_PHOTOS,
            lambda faces: embedder.embed_faces(np.stack(faces)),
            ModelManifest.from_json(read_manifest(model)).calibration,
            SEED,
            limits,
        )
        pictures = (*pictures, measure_real_heads(heads, limits), *links)
    return LivenessReport(
        photos=noise.photos,
        retakes=noise.retakes,
        scatter_by_landmark=noise.by_landmark,
        worst_scatter=noise.worst,
        levels=tuple(levels),
        pictures=pictures,
    )


def tables(record: LivenessReport) -> list[Sheet]:
    """Return the scatter, errors with a column for each level of it, and errors of pictures."""
    scatter = ", ".join(f"{100 * value:.2f}" for value in record.scatter_by_landmark)
    heads = tuple(f"scatter {100 * level.scatter:.2f} %" for level in record.levels)
    rows = tuple(
        (checks[0].kind, _kind_of_error(checks[0]), *(_error(check) for check in checks))
        for checks in zip(*(level.checks for level in record.levels), strict=True)
    )
    title = (
        f"{record.photos} photos, {record.retakes} retakes each: landmarks scatter by {scatter} % "
        f"of the face's height; {100 * record.worst_scatter:.2f} % in the worst photo"
    )
    seen = tuple((check.kind, _kind_of_error(check), _error(check)) for check in record.pictures)
    return [
        Sheet(title, ("kind", "error", *heads), rows),
        Sheet("Pictures under the detector", ("pictures", "error", "rate"), seen),
    ]


def _kind_of_error(check: MotionCheck) -> str:
    return "APCER %" if check.attack else "BPCER %"


def _error(check: MotionCheck) -> str:
    """Return what went wrong in percent: attacks that passed, heads that did not."""
    passed = check.passed
    value, low, high = passed.value, passed.low, passed.high
    if not check.attack:
        value, low, high = 1 - value, 1 - high, 1 - low
    wrong = round(value * passed.trials)
    return f"{100 * value:.1f} ({100 * low:.1f}-{100 * high:.1f}), {wrong} of {passed.trials}"
