"""How far back to its published start a run's weights should go."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training.data.crops import CropSet
from training.data.populations import Pool, read_people, read_pools, read_strangers
from training.data.sources import read_sources
from training.engines.embedding import embed_crops
from training.engines.interpolation import interpolated
from training.engines.targets import TargetSource
from training.evaluation.false_matches import MIN_PEOPLE
from training.evaluation.kept_answers import CACHE
from training.foundation.checkpoints import evaluation_weights, load_checkpoint
from training.foundation.device import choose_device
from training.networks.students import make_student
from training.recipes.recipe import Recipe
from training.studies.validation_figures import (
    FIGURES,
    TrialPeople,
    TriedSettings,
    settings_tables,
    trial_figures,
)

SHARES = (0.0, 0.2, 0.3, 0.4, 0.5, 0.7)


def run(data: Path, model: Path) -> TriedSettings:
    """Try shares of the way from a run's published start to its end, on people of no run.

    ``model`` is the run's ``checkpoint.pt``, at its end.
    """
    device = choose_device("cpu")
    state = load_checkpoint(model, device)
    recipe = Recipe.model_validate(state["recipe"])
    crops = read_sources(recipe, data)
    targets = TargetSource(recipe, crops, data, CACHE, device)
    val, strangers = read_people(data, "val"), read_strangers(data)
    pools = read_pools(data / "strangers.csv", strangers.files, MIN_PEOPLE)
    return try_shares(state, targets, crops, val, strangers, pools, (*SHARES, 1.0))


tables = settings_tables


def try_shares(
    state: dict[str, Any],
    targets: TargetSource,
    crops: CropSet,
    val: CropSet,
    strangers: CropSet,
    pools: Sequence[Pool],
    shares: Sequence[float],
) -> TriedSettings:
    """Return a line of figures for each share of a checkpoint's ``state``, of a finished run.

    ``crops`` and ``targets`` are the run's own; 1 is the run itself, whose last layer was trained
    and is not fitted anew. Raises what ``interpolated`` raises.
    """
    rows = []
    for share in shares:
        mean = state if share == 1 else interpolated(state, share, targets, crops)
        student = make_student(targets.recipe.student)
        student.load_state_dict(evaluation_weights(mean))
        people, nobody = (
            embed_crops(student, part, targets.device).numpy() for part in (val, strangers)
        )
        trial = TrialPeople(val, people, nobody, pools)
        rows.append((f"{share:g}", *trial_figures(trial, people, nobody)))
    title = "Shares of the trained weights, validation people and strangers"
    return TriedSettings(title=title, head=("share", *FIGURES), rows=tuple(rows))
