"""``distill``: a student trained towards several teachers at once; ``interpolate`` its weights."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from training.data.sources import read_sources
from training.engine.checkpoint import CheckpointError, load_checkpoint, save_checkpoint
from training.engine.distillation import DistillationRun, RunOptions, train
from training.engine.interpolation import checked_share, interpolated
from training.engine.targets import TargetSource
from training.evaluation.command import CACHE, DEFAULT_DATA, DataOption
from training.recipe import Recipe, load_recipe
from training.torch_setup import choose_device, keep_large_blocks


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
    recipe = Recipe.model_validate(state["recipe"])
    crops = read_sources(recipe, data)
    targets = TargetSource(recipe, crops, data, CACHE, device)
    run.mkdir(parents=True, exist_ok=True)
    save_checkpoint(written, interpolated(state, share, targets, crops))
    typer.echo(f"checkpoint: {written}")


def distill(
    recipe: Annotated[str, typer.Option(help="A recipe's name, or the path of a TOML file.")],
    data: DataOption = DEFAULT_DATA,
    run: Annotated[Path | None, typer.Option(help="Folder of the run; runs/<recipe>.")] = None,
    minutes: Annotated[
        float | None, typer.Option(help="End by the clock instead of by the recipe's steps.")
    ] = None,
    resume: Annotated[bool, typer.Option(help="Go on from the run's checkpoint.")] = False,
    init_from: Annotated[
        Path | None, typer.Option(help="Start from a checkpoint.pt or an exported embedder.pt.")
    ] = None,
    device: Annotated[str | None, typer.Option(help="cpu or cuda; chosen by itself.")] = None,
) -> None:
    """Train a student towards several teachers at once."""
    keep_large_blocks()
    loaded = load_recipe(recipe)
    folder = run or Path("runs") / loaded.name
    chosen = choose_device(device)
    crops = read_sources(loaded, data)
    typer.echo(f"{len(crops)} crops from {', '.join(crops.source_names)}; {chosen}")
    targets = TargetSource(loaded, crops, data, CACHE, chosen)
    options = RunOptions(folder, chosen, minutes, resume, init_from)
    train(DistillationRun(loaded, crops, targets, options))
    typer.echo(f"checkpoint: {folder / 'checkpoint.pt'}")
