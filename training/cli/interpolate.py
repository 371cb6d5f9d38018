"""``python -m training interpolate``: weights between a run's published start and its end."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from training.cli.options import DEFAULT_DATA, BuildOption, DataOption
from training.engines.interpolation import interpolate_run
from training.evaluation.kept_answers import CACHE
from training.foundation.errors import CheckpointError
from training.recipes.build_recipe import SHIPPED, interpolate_recipe, load_build_recipe


def interpolate(
    checkpoint: Annotated[Path, typer.Option(help="A checkpoint.pt that had a published start.")],
    run: Annotated[Path, typer.Option(help="Folder for the new checkpoint.")],
    share: Annotated[
        float | None,
        typer.Option(help="How far from the start to the end, 0 to below 1; the build's."),
    ] = None,
    build: BuildOption = SHIPPED,
    data: DataOption = DEFAULT_DATA,
) -> None:
    """Write a checkpoint of weights between a run's published start and its end."""
    written = run / "checkpoint.pt"
    if written.exists():
        raise CheckpointError(f"{written} exists; nothing is written over it")
    if share is None:
        share = interpolate_recipe(load_build_recipe(build)).share
    interpolate_run(checkpoint, written, share, data, CACHE)
    typer.echo(f"checkpoint: {written}")
