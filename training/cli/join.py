"""``python -m training join``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from training.calibration.people import file_calibrator
from training.cli.options import DEFAULT_DATA, DataOption
from training.data.crops import CropSet
from training.data.sources import read_sources
from training.engine.join import (
    HEAD,
    HUBNESS,
    SHARE,
    Second,
    join_networks,
    published_sface,
    trained_sface,
)
from training.evaluation.kept_answers import CACHE
from training.evaluation.served import MODELS
from training.export.origin import JointOrigin
from training.export.package import read_training, write_model
from training.export.parity import parity_faces
from training.export.provenance import data_files
from training.export.sface_origin import OUT as IMPORTS
from training.export.sface_origin import sface_origin
from training.export.trained_origin import TrainedOrigin
from training.foundation.device import choose_device
from training.foundation.precision import precision_of
from training.recipes.recipe import Recipe


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
    device = choose_device("cpu")
    student, trained = read_training(checkpoint)
    recipe = trained.recipe
    crops = read_sources(recipe, data)
    precision = precision_of(device)
    typer.echo(f"{len(crops)} crops are embedded on {device}, {precision}")
    beside, trained_on = _second(second, recipe, crops, data)
    network = join_networks(student, beside, recipe, crops)

    # Crowds of too few people are dropped, so that fewer may be left than were asked for.
    hubness = HUBNESS.model_copy(update={"centres": len(network.correction.centres)})
    origin = JointOrigin(
        trained=trained,
        imported=sface_origin(IMPORTS),
        share=SHARE,
        head=HEAD,
        hubness=hubness,
        second=trained_on,
        precision=precision,
    )
    files = data_files(recipe, data)
    if trained_on is not None:
        also = data_files(trained_on.recipe, data)
        files += tuple(file for file in also if file not in files)
    parity = write_model(
        network,
        origin,
        out / version,
        name,
        parity_faces(data),
        file_calibrator(data, recipe, device),
        files,
        replace=replace,
    )
    typer.echo(f"parity: {parity}")
    typer.echo(f"written: {out / version}")


def _second(
    checkpoint: Path | None, recipe: Recipe, crops: CropSet, data: Path
) -> tuple[Second, TrainedOrigin | None]:
    """Return the network beside the student, and the run that made it if any did."""
    if checkpoint is None:
        return published_sface(recipe, crops, data, CACHE), None
    network, origin = read_training(checkpoint)
    return trained_sface(network, crops, checkpoint), origin
