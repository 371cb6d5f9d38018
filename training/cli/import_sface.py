"""``python -m training import-sface``."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer

from app.vision.weights import WHEEL
from training.calibration.people import file_calibrator
from training.cli.options import DEFAULT_DATA, DataOption
from training.export.package import write_model
from training.export.parity import parity_faces
from training.export.provenance import calibration_files
from training.export.sface_origin import OUT, sface_origin
from training.foundation.device import choose_device
from training.networks.published.sface import read_sface
from training.recipes.build_recipe import load_build_recipe
from training.recipes.recipe import load_recipe

#: The file is not for the repository; twice 9.7 million weights need more room than ours.
MAX_BYTES = 40_000_000


def import_sface(
    out: Annotated[Path, typer.Option(help="Folder to write the model's folder in.")] = OUT,
    data: DataOption = DEFAULT_DATA,
    replace: Annotated[bool, typer.Option(help="Replace a folder that exists.")] = False,
) -> None:
    """Turn SFace from the detector's wheel into a calibrated model folder for the service."""
    device = choose_device("cpu")
    recipe = load_recipe("all")  # whose teachers find strangers who are one person twice
    settings = load_build_recipe().calibrate

    folder = out / f"sface-{metadata.version(WHEEL)}"
    parity = write_model(
        read_sface(),
        sface_origin(out),
        folder,
        "sface",
        parity_faces(data),
        file_calibrator(data, recipe, device, settings),
        calibration_files(data),
        replace=replace,
        max_bytes=MAX_BYTES,
    )
    typer.echo(f"parity: {parity}")
    typer.echo(f"written: {folder}; serve with FACEGATE_MODEL_DIR={folder.as_posix()}")
