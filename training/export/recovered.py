"""A student's checkpoint from a model that was exported: its weights as the file rounded them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from training.engines.interpolation import TRAINED_SHARE
from training.engines.starts import load_exported
from training.evaluation.embedders import read_manifest
from training.export.manifest import MODEL_FILE
from training.export.origin import ORIGIN, JointOrigin
from training.export.trained_origin import TrainedOrigin
from training.foundation.errors import CheckpointError
from training.networks.students import make_student


def recovered_checkpoint(folder: Path) -> dict[str, Any]:
    """Return the state of a checkpoint of the student in the model of ``folder``.

    It tells what the run was, as the manifest does, and can be judged, joined and exported, but not
    trained on. Its weights are those of the file, most of them in half precision: exported again
    they are the same numbers. Raises ``CheckpointError`` where there is no model, or one that was
    imported and not trained.
    """
    origin = ORIGIN.validate_python(read_manifest(folder).get("origin"))
    part = ""
    if isinstance(origin, JointOrigin):
        part = "first." if origin.hubness is None else "network.first."
        origin = origin.trained
    if not isinstance(origin, TrainedOrigin):
        raise CheckpointError(f"{folder} holds a network that was not trained here")
    student = make_student(origin.recipe.student)
    load_exported(student, folder / MODEL_FILE, part)
    state: dict[str, Any] = {
        "recipe": origin.recipe.model_dump(mode="json"),
        "network": student.state_dict(),
        "step_number": origin.steps,
        "elapsed_seconds": origin.hours * 3600,
        "earlier_runs": [run.model_dump(mode="json") for run in origin.earlier_runs],
    }
    if origin.trained_share < 1:
        state[TRAINED_SHARE] = origin.trained_share
    return state
