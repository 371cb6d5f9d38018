"""``python -m training build``: the whole model by one recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from training.cli.options import DEFAULT_DATA, DataOption, DeviceOption, SetOption
from training.evaluation.served import MODELS
from training.export.build import Build, build_model
from training.foundation.device import choose_device, keep_large_blocks
from training.recipes.build_recipe import SHIPPED, load_build_recipe


def build(
    version: Annotated[str, typer.Option(help="The folder's name below --out, as 2.3.0.")],
    recipe: Annotated[
        str, typer.Option(help="A recipe of training/recipes/build, or the path of a TOML file.")
    ] = SHIPPED,
    data: DataOption = DEFAULT_DATA,
    run: Annotated[
        Path | None, typer.Option(help="Folder of the steps; runs/build/<recipe>.")
    ] = None,
    from_checkpoint: Annotated[
        Path | None, typer.Option(help="Go on from a student's checkpoint.pt, trained already.")
    ] = None,
    from_model: Annotated[
        Path | None, typer.Option(help="Go on from the student inside an exported model's folder.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of the versions.")] = MODELS,
    force: Annotated[bool, typer.Option(help="Replace a version's folder that differs.")] = False,
    settings: SetOption = None,
    device: DeviceOption = None,
) -> None:
    """Make a whole model by one recipe: student, join, thresholds, limits, figures and card.

    A step that was made from the same settings and files before is skipped.
    """
    keep_large_blocks()
    loaded = load_build_recipe(recipe, settings or ())
    build_model(
        Build(
            recipe=loaded,
            version=version,
            data=data,
            run=run or Path("runs/build") / loaded.name,
            models=out,
            device=choose_device(device),
            tell=typer.echo,
            checkpoint=from_checkpoint,
            model=from_model,
            force=force,
        )
    )
