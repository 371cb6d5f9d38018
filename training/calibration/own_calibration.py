"""A calibration on an operator's own people, which promises nothing beyond their number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from training.calibration.calibrate import CalibrationFaces, calibrate_embedder
from training.calibration.own_people import (
    OwnFaces,
    OwnPopulation,
    load_faces,
    pools_of,
    refuse_copies,
    with_two_photos,
)
from training.calibration.people import print_calibration
from training.calibration.results import Calibration, CalibrationSupport
from training.evaluation.embedders import ExportedFile
from training.foundation.arrays import ByteImage, Matrix
from training.foundation.errors import DataError
from training.metrics.platt import CalibrationError
from training.recipes.build_recipe import CalibrateRecipe


@dataclass(frozen=True)
class OwnCrops:
    """The crops of a population, ready for any network."""

    people: OwnFaces
    strangers: OwnFaces
    groups: dict[str, str]

    def calibration(
        self,
        embed: Callable[[ByteImage], Matrix],
        model: str,
        sha256: str,
        settings: CalibrateRecipe,
    ) -> Calibration:
        """Return the calibration of what ``embed`` says of the crops.

        Raises ``CalibrationError`` where it does not tell people apart at all.
        """
        names = sorted(set(self.people.labels))
        number = {name: position for position, name in enumerate(names)}
        pools, small = pools_of(self.strangers, self.groups)
        support = CalibrationSupport(
            people=len(names),
            photos=len(self.people.keys),
            strangers=len(self.strangers.keys),
            small_groups=small,
        )
        faces = CalibrationFaces(
            val=embed(self.people.faces),
            people=np.array([number[label] for label in self.people.labels], np.int64),
            val_files=self.people.keys,
            strangers=embed(self.strangers.faces),
            stranger_files=self.strangers.keys,
            pools=pools,
            duplicates=None,
            support=support,
        )
        try:
            return calibrate_embedder(faces, model, sha256, settings)
        except CalibrationError as error:
            raise DataError(
                f"{model} does not tell these people apart, and no threshold could be promised: "
                f"{error}"
            ) from error


def read_crops_of(population: OwnPopulation, tell: Callable[[str], None]) -> OwnCrops:
    """Decode a population; raises ``DataError`` where too little of it can be used."""
    people = with_two_photos(load_faces(population.people, align=population.align))
    strangers = load_faces(population.strangers, align=population.align)
    for key, reason in (*people.skipped, *strangers.skipped)[:5]:
        tell(f"unusable: {key}: {reason}")
    refuse_copies(people, strangers)
    return OwnCrops(people, strangers, population.groups)


def own_calibrator(
    crops: OwnCrops, settings: CalibrateRecipe
) -> Callable[[Path, str], Calibration]:
    """Return what calibrates the model file at a path, called by a name, and prints the result."""

    def calibrate_file(path: Path, name: str) -> Calibration:
        embedder = ExportedFile(path, name, torch.device("cpu"))
        calibration = crops.calibration(embedder.embed_faces, name, str(embedder.sha256), settings)
        print_calibration(calibration)
        return calibration

    return calibrate_file
