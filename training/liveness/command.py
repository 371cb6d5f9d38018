"""``python -m training liveness``: what the active challenge refuses and what it lets pass."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from app.domain.challenges import MOTION_LIMITS
from app.domain.model_manifest import ModelManifest
from app.vision.detector import FaceDetector
from app.vision.opencv import configure_opencv
from app.vision.weights import read_detector_weights
from training.evaluation.command import DEFAULT_DATA, DataOption
from training.evaluation.embedders import ExportedEmbedder, read_manifest
from training.evaluation.served import ServedModelOption, newest_model
from training.foundation.device import choose_device
from training.foundation.files import write_text
from training.liveness.measure import measure_motion
from training.liveness.noise import measure_noise
from training.liveness.pictures import measure_pictures
from training.liveness.real_heads import measure_links, measure_real_heads, read_heads
from training.liveness.results import LivenessReport, MotionCheck
from training.metrics.intervals import SEED

PHOTOS = Path("tests/fixtures/people")
REAL_PHOTOS = "photos.tar"
WARPS_EACH = 2


def liveness(
    model: ServedModelOption = None,
    photos: Annotated[
        Path, typer.Option(help="Folder of photos on which the landmarks' scatter is measured.")
    ] = PHOTOS,
    bursts: Annotated[int, typer.Option(min=100, help="Bursts of each kind.")] = 1_000,
    data: DataOption = DEFAULT_DATA,
    nose_depth: Annotated[
        float, typer.Option(min=0.0, help="Try another least depth of the nose, in face heights.")
    ] = MOTION_LIMITS.nose_depth,
    out: Annotated[Path | None, typer.Option(help="JSON to write.")] = None,
) -> None:
    """Measure APCER and BPCER of the challenge: made heads, pictures of them, real photos."""
    limits = dataclasses.replace(MOTION_LIMITS, nose_depth=nose_depth)
    configure_opencv(threads=1)
    detector = FaceDetector(read_detector_weights(None))
    noise = measure_noise(detector, photos, SEED)
    levels = [measure_motion(noise.overall * times, bursts, SEED, limits) for times in (1.0, 2.0)]
    pictures = measure_pictures(detector, photos, WARPS_EACH, SEED, limits)
    if (data / REAL_PHOTOS).is_file():
        heads, folder = read_heads(data / REAL_PHOTOS), model or newest_model()
        embedder = ExportedEmbedder(folder, choose_device("cpu"))
        links = measure_links(
            heads,
            data / REAL_PHOTOS,
            lambda faces: embedder.embed_faces(np.stack(faces)),
            ModelManifest.from_json(read_manifest(folder)).calibration,
            SEED,
            limits,
        )
        pictures = (*pictures, measure_real_heads(heads, limits), *links)
    report = LivenessReport(
        photos=noise.photos,
        retakes=noise.retakes,
        scatter_by_landmark=noise.by_landmark,
        worst_scatter=noise.worst,
        levels=tuple(levels),
        pictures=pictures,
    )
    print_report(report, Console(width=None if Console().is_terminal else 160))
    if out is not None:
        write_text(out, report.model_dump_json(indent=1) + "\n")
        typer.echo(f"written: {out}")


def print_report(report: LivenessReport, console: Console) -> None:
    """Print the scatter, and one table with a column for each level of it."""
    scatter = ", ".join(f"{100 * value:.2f}" for value in report.scatter_by_landmark)
    console.print(
        f"{report.photos} photos, {report.retakes} retakes each: landmarks scatter by {scatter} % "
        f"of the face's height; {100 * report.worst_scatter:.2f} % in the worst photo"
    )
    heads = [f"scatter {100 * level.scatter:.2f} %" for level in report.levels]
    table = Table("kind", "error", *heads)
    for checks in zip(*(level.checks for level in report.levels), strict=True):
        name = "APCER %" if checks[0].attack else "BPCER %"
        table.add_row(checks[0].kind, name, *(_error(check) for check in checks))
    console.print(table)
    seen = Table("pictures under the detector", "error", "rate")
    for check in report.pictures:
        seen.add_row(check.kind, "APCER %" if check.attack else "BPCER %", _error(check))
    console.print(seen)


def _error(check: MotionCheck) -> str:
    """Return what went wrong in percent: attacks that passed, heads that did not."""
    passed = check.passed
    value, low, high = passed.value, passed.low, passed.high
    if not check.attack:
        value, low, high = 1 - value, 1 - high, 1 - low
    wrong = round(value * passed.trials)
    return f"{100 * value:.1f} ({100 * low:.1f}-{100 * high:.1f}), {wrong} of {passed.trials}"
