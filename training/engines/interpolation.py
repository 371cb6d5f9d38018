"""Weights between a published start and what training made of it.

Two networks that training led from one start can be averaged weight by weight, and the mean often
does better than either on pictures of another kind than those trained on (Wortsman et al., "Robust
fine-tuning of zero-shot models", CVPR 2022): what few pictures made the network forget comes back.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from training.data.crops import CropSet
from training.data.sources import read_sources
from training.engines.starts import PublishedNetwork, fit_linear, load_start, see_pictures
from training.engines.targets import CORRECTION, TargetSource
from training.foundation.checkpoints import evaluation_weights, load_checkpoint, save_checkpoint
from training.foundation.device import choose_device
from training.foundation.errors import CheckpointError
from training.networks.students import make_student
from training.recipes.recipe import Recipe
from training.recipes.run_recipe import recipe_in

#: What a checkpoint calls the share of the trained weights; without it they are all of them.
TRAINED_SHARE = "trained_share"


def interpolate_run(checkpoint: Path, written: Path, share: float, data: Path, cache: Path) -> None:
    """Write to ``written`` the checkpoint of weights between a run's published start and its end.

    ``data`` holds the run's pictures and teachers, ``cache`` what those said before. Raises
    ``CheckpointError`` where the share is no mean, and what ``interpolated`` raises.
    """
    checked_share(share, checkpoint)
    device = choose_device("cpu")
    state = load_checkpoint(checkpoint, device)
    recipe = recipe_in(state, Recipe, checkpoint)
    crops = read_sources(recipe, data)
    targets = TargetSource(recipe, crops, data, cache, device)
    save_checkpoint(written, interpolated(state, share, targets, crops))


def interpolated(
    state: dict[str, Any], trained_share: float, targets: TargetSource, crops: CropSet
) -> dict[str, Any]:
    """Return a checkpoint's state with weights ``trained_share`` of the way from its start.

    It tells what the run was and can be judged, exported and joined, but not trained on.
    The last layer, which the start did not have, is fitted anew to the corrected targets of some of
    the ``crops``. Raises ``CheckpointError`` where the run had no published start, or where its
    weights lie between the two already.
    """
    wanted = Recipe.model_validate(state["recipe"]).student
    student = make_student(wanted)
    if not isinstance(student, PublishedNetwork):
        raise CheckpointError("the run started from random weights: nothing lies between")
    if TRAINED_SHARE in state:
        raise CheckpointError("these weights lie between start and end already; give the run's own")
    load_start(student, wanted, targets.root)
    student.load_state_dict(mixed(student.state_dict(), evaluation_weights(state), trained_share))
    seen, answers = see_pictures(student, targets, crops)
    fit_linear(student.project, seen, answers[CORRECTION])
    kept = ("recipe", "step_number", "elapsed_seconds", "earlier_runs")
    history = {name: state[name] for name in kept if name in state}
    return history | {"network": student.state_dict(), TRAINED_SHARE: trained_share}


def mixed(
    start: dict[str, torch.Tensor], end: dict[str, torch.Tensor], share: float
) -> dict[str, torch.Tensor]:
    """Return the weights ``share`` of the way from ``start`` to ``end``, name by name.

    What is no weight but a count, as of batches seen, stays that of the end.
    """
    return {
        name: torch.lerp(start[name], weight, share) if weight.is_floating_point() else weight
        for name, weight in end.items()
    }


def checked_share(share: float, path: Path) -> float:
    """Return a share that changes the weights of ``path``; raises ``CheckpointError``.

    0 is the start itself, with a last layer fitted to the targets and nothing else trained.
    """
    if not 0 <= share < 1:
        raise CheckpointError(f"a share of {share:g} of {path} is no mean: give 0 <= share < 1")
    return share
