"""``python -m training demo``: the whole service on people who do not exist."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from training.demo.run import run_demo


def demo(
    picture: Annotated[Path, typer.Option(help="Where to save the faces with their verdicts.")] = (
        Path("runs/demo/demo.png")
    ),
) -> None:
    """Enroll invented people in a temporary service, show it their other photos and strangers."""
    if not run_demo(picture, Console()):
        raise typer.Exit(1)
