"""``python -m training distill``: a student trained towards several teachers at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from training.cli.options import DEFAULT_DATA, DataOption
from training.data.sources import read_sources
from training.engines.distillation import distillation_run
from training.engines.run import RunOptions, train
from training.engines.run_folder import RunFolder
from training.engines.targets import TargetSource
from training.evaluation.kept_answers import CACHE
from training.foundation.device import choose_device, keep_large_blocks
from training.recipes.recipe import load_recipe


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
    chosen = choose_device(device)
    loaded = load_recipe(recipe).on(chosen)
    folder = run or Path("runs") / loaded.name
    crops = read_sources(loaded, data)
    typer.echo(
        f"{len(crops)} crops from {', '.join(crops.source_names)}; {chosen}, {loaded.precision}"
    )
    targets = TargetSource(loaded, crops, data, CACHE, chosen)
    options = RunOptions(RunFolder(folder), chosen, resume=resume, minutes=minutes)
    train(distillation_run(loaded, crops, targets, options, init_from))
    typer.echo(f"checkpoint: {folder / 'checkpoint.pt'}")
