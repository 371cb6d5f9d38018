"""The people that a model is calibrated on, embedded, and its calibration on them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from rich.console import Console

from training.calibration.bursts import burst_probes
from training.calibration.calibrate import CalibrationFaces, calibrate_embedder
from training.calibration.calibration_sheets import calibration_sheets
from training.calibration.duplicates import find_duplicates
from training.calibration.results import Calibration
from training.data.populations import read_people, read_pools, read_strangers
from training.evaluation.embedders import CropEmbedder, ExportedFile
from training.evaluation.false_matches import MIN_PEOPLE
from training.evaluation.kept_answers import CACHE
from training.foundation.sheets import print_sheets
from training.recipes.build_recipe import CalibrateRecipe
from training.recipes.recipe import Recipe


def calibrate_on(
    embedder: CropEmbedder,
    root: Path,
    recipe: Recipe,
    cache: Path,
    device: torch.device,
    settings: CalibrateRecipe,
) -> Calibration:
    """Return the calibration of ``embedder`` on the data below ``root``; LFW is never opened."""
    faces = read_faces(embedder, root, recipe, cache, device, settings, bursts=True)
    return calibrate_embedder(faces, embedder.name, embedder.sha256, settings)


def file_calibrator(
    root: Path,
    recipe: Recipe,
    device: torch.device,
    settings: CalibrateRecipe,
    cache: Path = CACHE,
) -> Callable[[Path, str], Calibration]:
    """Return what calibrates the model file at a path, called by a name, and prints the result.

    The file's answers are kept, for the next evaluation.
    """

    def calibrate_file(path: Path, name: str) -> Calibration:
        embedder = ExportedFile(path, name, device, cache)
        calibration = calibrate_on(embedder, root, recipe, cache, device, settings)
        print_calibration(calibration)
        return calibration

    return calibrate_file


def read_faces(
    embedder: CropEmbedder,
    root: Path,
    recipe: Recipe,
    cache: Path,
    device: torch.device,
    settings: CalibrateRecipe,
    *,
    bursts: bool = False,
) -> CalibrationFaces:
    """Embed everyone, with ``bursts`` also as bursts, which takes minutes.

    The pictures are let go before millions of scores take their place.
    """
    val, strangers = read_people(root, "val"), read_strangers(root)
    return CalibrationFaces(
        val=embedder.embed(val),
        people=val.identities.numpy(),
        val_files=val.files,
        strangers=embedder.embed(strangers),
        stranger_files=strangers.files,
        pools=read_pools(root / "strangers.csv", strangers.files, MIN_PEOPLE),
        duplicates=find_duplicates(
            strangers, recipe, root, cache, device, settings.teacher_similarity
        ),
        bursts=burst_probes(val, strangers, embedder, settings) if bursts else (),
    )


def print_calibration(result: Calibration) -> None:
    """Print the tables, and what was left out."""
    console = Console(width=None if Console().is_terminal else 160)
    console.print(f"[bold]{result.model}[/bold]")
    print_sheets(calibration_sheets(result), console)
    console.print(
        f"{len(result.excluded.pairs)} pairs left out ({result.excluded.note}); identify would be "
        f"{result.excluded.identify_if_kept:.3f} with them, "
        f"{result.thresholds.identify.similarity:.3f} without"
    )
