"""``python -m training recognisability``: what a model cannot read, into its manifest."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from training.cli.options import DEFAULT_DATA, BuildOption, DataOption, ServedModelOption
from training.evaluation.served import newest_model
from training.export.recognisability import fit_recognisability
from training.foundation.sheets import print_sheets
from training.recipes.build_recipe import SHIPPED, load_build_recipe


def recognisability(
    model: ServedModelOption = None,
    data: DataOption = DEFAULT_DATA,
    build: BuildOption = SHIPPED,
    centres: Annotated[
        int | None, typer.Option(min=1, help="How many centres, instead of the build's.")
    ] = None,
    write: Annotated[bool, typer.Option(help="Write centres and limits into the manifest.")] = True,
) -> None:
    """Fit the centres of what a model cannot read, and the limits; print what they cost and catch.

    Other numbers of centres stand beside, on people and kinds that no centre was fitted on.
    """
    folder = model or newest_model()
    settings = load_build_recipe(build).recognisability
    if centres is not None:
        settings = settings.model_copy(update={"centres": centres})
    sheets = fit_recognisability(folder, data, settings, write=write)
    print_sheets(sheets, Console(width=None if Console().is_terminal else 160))
    if write:
        typer.echo(f"written: {folder / 'manifest.json'}")
