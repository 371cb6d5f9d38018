"""``python -m training interpolate``: weights between a run's published start and its end."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from training.cli.options import DEFAULT_DATA, DataOption
from training.data.sources import read_sources
from training.engines.interpolation import checked_share, interpolated
from training.engines.targets import TargetSource
from training.evaluation.kept_answers import CACHE
from training.foundation.checkpoints import load_checkpoint, save_checkpoint
from training.foundation.device import choose_device
from training.foundation.errors import CheckpointError
from training.recipes.recipe import Recipe
from training.recipes.run_recipe import recipe_in


def interpolate(
    checkpoint: Annotated[Path, typer.Option(help="A checkpoint.pt that had a published start.")],
    run: Annotated[Path, typer.Option(help="Folder for the new checkpoint.")],
    share: Annotated[
        float, typer.Option(help="How far from the start to the end, 0 to below 1.")
    ] = 0.5,
    data: DataOption = DEFAULT_DATA,
) -> None:
    """Write a checkpoint of weights between a run's published start and its end."""
    checked_share(share, checkpoint)
    written = run / "checkpoint.pt"
    if written.exists():
        raise CheckpointError(f"{written} exists; nothing is written over it")
    device = choose_device("cpu")
    state = load_checkpoint(checkpoint, device)
    recipe = recipe_in(state, Recipe, checkpoint)
    crops = read_sources(recipe, data)
    targets = TargetSource(recipe, crops, data, CACHE, device)
    run.mkdir(parents=True, exist_ok=True)
    save_checkpoint(written, interpolated(state, share, targets, crops))
    typer.echo(f"checkpoint: {written}")
