"""From a run of ``learn`` to a model folder that the service loads."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from training.data.learning_parts import load_parts
from training.engines.learned import identity_of_run
from training.engines.learned_from import (
    LearnedFrom,
    learned_from,
    read_learned_from,
    write_learned_from,
)
from training.engines.learned_network import LearnedNetwork, metric_checkpoint, read_learned
from training.engines.run_folder import BEST, CHECKPOINT, RESULT
from training.export.learned_origin import LearnedOrigin
from training.export.package import Calibrator, ExportError, write_model
from training.export.parity import PARITY_FACES, Parity, made_patterns
from training.export.provenance import DataFile
from training.foundation.arrays import ByteImage
from training.foundation.errors import DataError
from training.networks.door_crop import DoorCropNetwork


@dataclass(frozen=True)
class LearnedRun:
    """What a ``learn`` run left: its network, its figures, and whom it learned from."""

    learned: LearnedNetwork
    origin: LearnedOrigin
    people: LearnedFrom


def read_run(path: Path, data: Path, licence: str | None) -> LearnedRun:
    """Return the run of a checkpoint or of a run's folder.

    A run that kept no record of whom it learned from is read again from the pictures below
    ``data``. Raises ``CheckpointError`` or ``DataError`` where that, or the run, is not whole.
    """
    # A run's figures are of its best weights, and so is what is exported of it.
    named_by_state = path.name == CHECKPOINT and (path.parent / BEST).is_file()
    checkpoint = metric_checkpoint(path.parent if named_by_state else path)
    if checkpoint is None:
        raise ExportError(f"{path} holds no network that training learn made")
    learned = read_learned(checkpoint, torch.device("cpu"))
    result = _result(checkpoint.parent)
    people = read_learned_from(checkpoint.parent) or _read_again(learned, result, data)
    origin = LearnedOrigin.model_validate(
        {
            "recipe": learned.recipe,
            "grey": people.grey,
            "licence": licence,
            **{key: result[key] for key in ("steps", "best_step", "seconds", "images", "measures")},
        }
    )
    return LearnedRun(learned, origin, people)


def export_learned(
    run: LearnedRun,
    folder: Path,
    name: str,
    faces: ByteImage,
    calibrator: Calibrator,
    data: tuple[DataFile, ...],
    *,
    replace: bool,
    max_bytes: int,
) -> Parity:
    """Write ``folder`` whole, with the record of whom the run learned from.

    ``faces`` are ready crops ``(N, 3, 112, 112)`` that parity is tried on beside made patterns.
    Raises what ``write_model`` raises.
    """
    recipe = run.learned.recipe
    side = recipe.data.transform.size
    network = DoorCropNetwork(run.learned.network, side, grey=run.people.grey)
    return write_model(
        network.eval(),
        run.origin,
        folder,
        name,
        parity_crops(faces),
        calibrator,
        data,
        replace=replace,
        max_bytes=max_bytes,
        beside=lambda partial: write_learned_from(run.people, partial),
    )


def parity_crops(faces: ByteImage) -> ByteImage:
    """Return made patterns and some of the faces, uint8 ``(N, 3, 112, 112)``."""
    return np.concatenate([made_patterns(), faces[:: max(1, len(faces) // PARITY_FACES)]])


def _result(folder: Path) -> dict[str, object]:
    path = folder / RESULT
    try:
        found: object = json.loads(path.read_text())
        if not isinstance(found, dict):
            raise ValueError("it is no object")
    except (OSError, ValueError) as error:
        raise ExportError(
            f"{path} cannot be read ({error}); a run is exported when it has ended: learn --resume"
        ) from error
    return {str(key): value for key, value in found.items()}


def _read_again(learned: LearnedNetwork, result: dict[str, object], data: Path) -> LearnedFrom:
    """Return whom an older run learned from, by reading its pictures again."""
    why = "this run kept no record of whom it learned from"
    try:
        parts = load_parts(learned.recipe, data)
    except (DataError, OSError) as error:
        raise ExportError(f"{why}, and its pictures cannot be read again: {error}") from error
    if identity_of_run(learned.recipe, parts) != result.get("run"):
        raise ExportError(f"{why}, and the pictures below {data} are others now; learn again")
    return learned_from(parts)
