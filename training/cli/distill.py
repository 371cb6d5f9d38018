"""``python -m training distill``: a student trained towards several teachers at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from training.cli.options import DEFAULT_DATA, DataOption, ForceOption, ResumeOption, SetOption
from training.cli.resuming import require_room
from training.engines.distillation import distill_recipe
from training.engines.run import RunOptions
from training.engines.run_folder import RunFolder
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
    resume: ResumeOption = False,
    force: ForceOption = False,
    settings: SetOption = None,
    init_from: Annotated[
        Path | None, typer.Option(help="Start from a checkpoint.pt or an exported embedder.pt.")
    ] = None,
    device: Annotated[str | None, typer.Option(help="cpu or cuda; chosen by itself.")] = None,
) -> None:
    """Train a student towards several teachers at once.

    A folder that holds a run is left alone without --resume or --force. Ctrl-C saves the run, and
    says how to go on.
    """
    keep_large_blocks()
    chosen = choose_device(device)
    loaded = load_recipe(recipe, settings or ())
    folder = run or Path("runs") / loaded.name
    require_room(folder, resume=resume, force=force)
    options = RunOptions(RunFolder(folder), chosen, resume, minutes, force=force)
    distill_recipe(loaded, data, CACHE, options, typer.echo, init_from)
    typer.echo(f"checkpoint: {folder / 'checkpoint.pt'}")
