"""``python -m training demo`` and ``own-network``: the service on people who do not exist."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from training.demo.own_network import RECIPES, run_own_network
from training.demo.run import run_demo

STEPS = 60


def demo(
    picture: Annotated[Path, typer.Option(help="Where to save the faces with their verdicts.")] = (
        Path("runs/demo/demo.png")
    ),
) -> None:
    """Enroll invented people in a temporary service, show it their other photos and strangers."""
    if not run_demo(picture, Console()):
        raise typer.Exit(1)


def own_network(
    steps: Annotated[int, typer.Option(min=1, help="How long each network learns.")] = STEPS,
) -> None:
    """Learn from invented people and from digits, export, calibrate, serve and verify.

    Prints what each network may promise. Fails where strangers are surely taken for somebody more
    often than that.
    """
    kept = True
    with tempfile.TemporaryDirectory(prefix="facegate-own-network-") as folder:
        for what in RECIPES:
            outcome = run_own_network(Path(folder), what, steps, Console(width=100))
            kept = kept and outcome.within_promise
    if not kept:
        raise typer.Exit(1)
