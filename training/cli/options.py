"""Options that several commands share, and where they look when nothing is said."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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
DeviceOption = Annotated[str | None, typer.Option(help="cpu or cuda; chosen by itself.")]
