"""``python -m training join``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from training.cli.options import DEFAULT_DATA, DataOption
from training.evaluation.served import MODELS
from training.export.joint import export_joint


def join(
    checkpoint: Annotated[Path, typer.Option(help="A training run's checkpoint.pt.")],
    version: Annotated[str, typer.Option(help="The folder's name below --out, as 2.0.0.")],
    second: Annotated[
        Path | None, typer.Option(help="A checkpoint.pt of SFace trained on; as published if none.")
    ] = None,
    data: DataOption = DEFAULT_DATA,
    out: Annotated[Path, typer.Option(help="Folder of the versions.")] = MODELS,
    name: Annotated[str, typer.Option(help="The model's name.")] = "facegate",
    replace: Annotated[bool, typer.Option(help="Replace a folder that exists.")] = False,
) -> None:
    """Write a model folder of a trained student and SFace together, behind a head on both."""
    parity = export_joint(
        checkpoint, second, out / version, name, data, replace=replace, tell=typer.echo
    )
    typer.echo(f"parity: {parity}")
    typer.echo(f"written: {out / version}")
