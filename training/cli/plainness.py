"""``python -m training plainness``: what tells covered and altered faces, into a model's folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from training.calibration.plainness.fit import fit_plainness
from training.calibration.plainness.pictures import FAMILY_GROUPS
from training.calibration.plainness.tables import plainness_sheets
from training.cli.options import DEFAULT_DATA, BuildOption, DataOption, ServedModelOption
from training.evaluation.served import newest_model
from training.export.package import PLAINNESS
from training.foundation.device import choose_device
from training.foundation.errors import DataError
from training.foundation.files import write_text
from training.foundation.sheets import print_sheets, sheets_markdown
from training.recipes.build_recipe import SHIPPED, load_build_recipe


def plainness(
    model: ServedModelOption = None,
    data: DataOption = DEFAULT_DATA,
    run: Annotated[
        Path, typer.Option(help="Keeps rendered crops (2 GB) and checkpoints; goes on from them.")
    ] = Path("runs/plainness"),
    unseen: Annotated[
        bool, typer.Option(help="Also train without families, and try these on them; longer.")
    ] = False,
    build: BuildOption = SHIPPED,
) -> None:
    """Train the network that tells covered and altered faces, fit its limit, print what it catches.

    Network and limit go into the model's folder; enrollment refuses what lies below the limit.
    """
    choose_device("cpu")
    folder = model or newest_model()
    left_out = FAMILY_GROUPS if unseen else ()
    settings = load_build_recipe(build).plainness
    if settings is None:
        raise DataError(f"the build {build} has no section [plainness]")
    fitted = fit_plainness(folder, data, run, settings, left_out=left_out, tell=typer.echo)
    sheets = plainness_sheets(fitted)
    print_sheets(sheets, Console(width=None if Console().is_terminal else 160))
    write_text(folder / PLAINNESS, sheets_markdown(sheets))
    typer.echo(f"written: {folder / 'manifest.json'}")
