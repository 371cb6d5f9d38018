"""``python -m training join``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from training.calibration.people import file_calibrator
from training.cli.options import DEFAULT_DATA, BuildOption, DataOption
from training.evaluation.kept_answers import CACHE
from training.evaluation.served import MODELS
from training.export.joint import join_checkpoint
from training.export.package import write_model
from training.export.parity import parity_faces
from training.foundation.device import choose_device
from training.recipes.build_recipe import SHIPPED, joined_recipe, load_build_recipe


def join(
    checkpoint: Annotated[Path, typer.Option(help="A training run's checkpoint.pt.")],
    version: Annotated[str, typer.Option(help="The folder's name below --out, as 2.0.0.")],
    second: Annotated[
        Path | None, typer.Option(help="A checkpoint.pt of SFace trained on; as published if none.")
    ] = None,
    build: BuildOption = SHIPPED,
    data: DataOption = DEFAULT_DATA,
    out: Annotated[Path, typer.Option(help="Folder of the versions.")] = MODELS,
    name: Annotated[str, typer.Option(help="The model's name.")] = "facegate",
    replace: Annotated[bool, typer.Option(help="Replace a folder that exists.")] = False,
) -> None:
    """Write a model folder of a trained student and SFace together, behind a head on both."""
    settings = load_build_recipe(build)
    joined = join_checkpoint(checkpoint, second, joined_recipe(settings), data, CACHE, typer.echo)
    device = choose_device("cpu")
    parity = write_model(
        joined.network,
        joined.origin,
        out / version,
        name,
        parity_faces(data),
        file_calibrator(data, joined.recipe, device, settings.calibrate),
        joined.files,
        replace=replace,
    )
    typer.echo(f"parity: {parity}")
    typer.echo(f"written: {out / version}")
