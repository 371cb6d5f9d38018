"""Options that several commands share, and where they look when nothing is said."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from training.foundation.errors import DataError

DEFAULT_DATA = Path("../shared/data")

ModelOption = Annotated[
    str, typer.Option(help="An exported model's folder, a checkpoint.pt, or 'teachers'.")
]
ServedModelOption = Annotated[
    Path | None, typer.Option("--model", help="An exported model's folder; the newest one shipped.")
]
DataOption = Annotated[
    Path, typer.Option("--data", envvar="FACEGATE_TRAINING_DATA", help="Folder with the data.")
]
BuildOption = Annotated[
    str, typer.Option("--build", help="Recipe of a whole build, whose numbers are taken.")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Change a key of the recipe, as loss.margin=0.3; again for more. `training recipe "
        "--explain KEY` says what it may be.",
    ),
]
ColumnOption = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        metavar="KEY=NAME",
        help="What a CSV file calls its columns path, label and split, as label=person.",
    ),
]
ResumeOption = Annotated[bool, typer.Option(help="Go on from the run's checkpoint.")]
ForceOption = Annotated[
    bool, typer.Option("--force", help="Replace the run that the folder holds.")
]
DeviceOption = Annotated[str | None, typer.Option(help="cpu or cuda; chosen by itself.")]


def as_columns(options: Sequence[str] | None) -> dict[str, str] | None:
    """Return ``label=person`` as a mapping; raises ``DataError`` for what is none."""
    found: dict[str, str] = {}
    for option in options or ():
        column, equals, name = option.partition("=")
        if not (column and equals and name) or column in found:
            raise DataError(f"--column {option!r} is not KEY=NAME, each key once, as label=person")
        found[column] = name
    return found or None
