"""``python -m training``: one command for each step from pictures to a shipped embedder."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from training.torch_setup import choose_device, keep_large_blocks

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

DataOption = Annotated[
    Path, typer.Option("--data", envvar="FACEGATE_TRAINING_DATA", help="Folder with the data.")
]
DEFAULT_DATA = Path("../shared/data")


@app.callback()
def main() -> None:
    """Train, judge, calibrate and export face embedders."""


@app.command()
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
    from training.data.sources import read_sources
    from training.engine.distillation import DistillationRun, RunOptions, train
    from training.engine.targets import TargetSource
    from training.recipe import load_recipe

    loaded = load_recipe(recipe)
    folder = run or Path("runs") / loaded.name
    chosen = choose_device(device)
    crops = read_sources(loaded, data)
    typer.echo(f"{len(crops)} crops from {', '.join(crops.source_names)}; {chosen}")
    targets = TargetSource(loaded, crops, data, Path("runs/cache"), chosen)
    options = RunOptions(folder, chosen, minutes, resume, init_from)
    train(DistillationRun(loaded, crops, targets, options))
    typer.echo(f"checkpoint: {folder / 'checkpoint.pt'}")


def run_command() -> None:
    """Run the command line; expected failures are one line, not a traceback."""
    from pydantic import ValidationError

    from training.data.crops import DataError
    from training.engine.checkpoint import CheckpointError
    from training.engine.distillation import TrainingDivergedError

    expected = (DataError, CheckpointError, TrainingDivergedError, ValidationError, OSError)
    try:
        app()
    except expected as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    run_command()
