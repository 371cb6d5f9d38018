"""A model folder of a trained student and SFace together, behind a head on both."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from training.calibration.people import file_calibrator
from training.data.crops import CropSet
from training.data.sources import read_sources
from training.engines.join import (
    HEAD,
    HUBNESS,
    SHARE,
    Second,
    join_networks,
    published_sface,
    trained_sface,
)
from training.evaluation.kept_answers import CACHE
from training.export.origin import JointOrigin
from training.export.package import read_training, write_model
from training.export.parity import Parity, parity_faces
from training.export.provenance import data_files
from training.export.sface_origin import OUT as IMPORTS
from training.export.sface_origin import sface_origin
from training.export.trained_origin import TrainedOrigin
from training.foundation.device import choose_device
from training.foundation.precision import precision_of
from training.recipes.recipe import Recipe


def export_joint(
    checkpoint: Path,
    second: Path | None,
    folder: Path,
    name: str,
    data: Path,
    *,
    replace: bool,
    tell: Callable[[str], None],
) -> Parity:
    """Join the student of ``checkpoint`` with SFace and write both as one model's folder.

    SFace is that of the checkpoint ``second``, or as published where there is none. Raises
    ``CheckpointError`` or ``DataError`` where something is amiss.
    """
    device = choose_device("cpu")
    student, trained = read_training(checkpoint)
    recipe = trained.recipe
    crops = read_sources(recipe, data)
    precision = precision_of(device)
    tell(f"{len(crops)} crops are embedded on {device}, {precision}")
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
    return write_model(
        network,
        origin,
        folder,
        name,
        parity_faces(data),
        file_calibrator(data, recipe, device),
        files,
        replace=replace,
    )


def _second(
    checkpoint: Path | None, recipe: Recipe, crops: CropSet, data: Path
) -> tuple[Second, TrainedOrigin | None]:
    """Return the network beside the student, and the run that made it if any did."""
    if checkpoint is None:
        return published_sface(recipe, crops, data, CACHE), None
    network, origin = read_training(checkpoint)
    return trained_sface(network, crops, checkpoint), origin
