"""``python -m training export`` and ``python -m training card``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from training.calibration.people import file_calibrator
from training.cli.options import DEFAULT_DATA, BuildOption, DataOption
from training.evaluation.served import MODELS
from training.export.package import (
    card_of,
    export_model,
    keep_beside,
    keep_proof,
    keep_rebuilt,
    read_training,
)
from training.export.parity import parity_faces
from training.export.provenance import data_files
from training.foundation.device import choose_device
from training.foundation.files import write_text
from training.recipes.build_recipe import SHIPPED, load_build_recipe


def export(
    checkpoint: Annotated[Path, typer.Option(help="A training run's checkpoint.pt.")],
    version: Annotated[str, typer.Option(help="The folder's name below --out, as 1.0.0.")],
    data: DataOption = DEFAULT_DATA,
    out: Annotated[Path, typer.Option(help="Folder of the versions.")] = MODELS,
    name: Annotated[str, typer.Option(help="The model's name.")] = "facegate",
    replace: Annotated[bool, typer.Option(help="Replace a folder that exists.")] = False,
    build: BuildOption = SHIPPED,
    device: Annotated[str | None, typer.Option(help="cpu or cuda; for the calibration.")] = None,
) -> None:
    """Write a model folder: module, parity, calibration, thresholds, manifest and card."""
    chosen = choose_device(device)
    _, training = read_training(checkpoint)

    parity = export_model(
        checkpoint,
        out / version,
        name,
        parity_faces(data),
        file_calibrator(data, training.recipe, chosen, load_build_recipe(build).calibrate),
        lambda recipe: data_files(recipe, data),
        replace=replace,
    )
    typer.echo(f"parity: {parity}")
    typer.echo(f"written: {out / version}")


def card(
    model: Annotated[Path, typer.Option(help="An exported model's folder.")],
    beside: Annotated[
        Path | None, typer.Option(help="Another model's folder, evaluated, to compare with.")
    ] = None,
    proof: Annotated[
        Path | None, typer.Option(help="What `study proof` wrote of this model, to be kept.")
    ] = None,
    rebuilt: Annotated[
        Path | None, typer.Option(help="What `study rebuilt` wrote of this model, to be kept.")
    ] = None,
) -> None:
    """Write the model's card from what its folder holds: figures, rivals, kept promises."""
    if proof is not None:
        keep_proof(model, proof)
    if rebuilt is not None:
        keep_rebuilt(model, rebuilt)
    if beside is not None:
        keep_beside(model, beside)
    write_text(model / "README.md", card_of(model))
    typer.echo(f"written: {model / 'README.md'}")
