"""A trained student and SFace together, behind a head on both, as one network to export."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from training.data.crops import CropSet
from training.data.sources import read_sources
from training.engines.join import Second, join_networks, published_sface, trained_sface
from training.export.origin import JointOrigin
from training.export.package import read_training
from training.export.provenance import DataFile, data_files
from training.export.sface_origin import OUT as IMPORTS
from training.export.sface_origin import sface_origin
from training.export.trained_origin import TrainedOrigin
from training.foundation.device import choose_device
from training.foundation.precision import precision_of
from training.recipes.build_recipe import JoinedRecipe
from training.recipes.recipe import Recipe


@dataclass(frozen=True)
class JoinedStudent:
    """The network to export, where it comes from, and the files of data that made it."""

    network: nn.Module
    origin: JointOrigin
    files: tuple[DataFile, ...]

    @property
    def recipe(self) -> Recipe:
        """The student's recipe."""
        return self.origin.trained.recipe


def join_checkpoint(
    checkpoint: Path,
    second: Path | None,
    settings: JoinedRecipe,
    data: Path,
    cache: Path,
    tell: Callable[[str], None],
) -> JoinedStudent:
    """Return the student of ``checkpoint`` joined with SFace.

    SFace is that of the checkpoint ``second``, or as published where there is none. Raises
    ``CheckpointError`` or ``DataError`` where something is amiss.
    """
    device = choose_device("cpu")
    student, trained = read_training(checkpoint)
    recipe = trained.recipe
    crops = read_sources(recipe, data)
    precision = precision_of(device)
    tell(f"{len(crops)} crops are embedded on {device}, {precision}")
    beside, trained_on = _second(second, recipe, crops, data, cache)
    network = join_networks(student, beside, recipe, crops, settings)

    # Crowds of too few people are dropped, so that fewer may be left than were asked for.
    centres = len(network.correction.centres)
    origin = JointOrigin(
        trained=trained,
        imported=sface_origin(IMPORTS),
        share=settings.join.share,
        head=settings.join.head,
        hubness=settings.hubness.model_copy(update={"centres": centres}),
        second=trained_on,
        precision=precision,
    )
    files = data_files(recipe, data)
    if trained_on is not None:
        also = data_files(trained_on.recipe, data)
        files += tuple(file for file in also if file not in files)
    return JoinedStudent(network, origin, files)


def _second(
    checkpoint: Path | None, recipe: Recipe, crops: CropSet, data: Path, cache: Path
) -> tuple[Second, TrainedOrigin | None]:
    """Return the network beside the student, and the run that made it if any did."""
    if checkpoint is None:
        return published_sface(recipe, crops, data, cache), None
    network, origin = read_training(checkpoint)
    return trained_sface(network, crops, checkpoint), origin
