"""The network that a ``learn`` run made, read back from its folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from training.engines.run_folder import BEST, first_broken
from training.foundation.checkpoints import load_checkpoint, take_weights
from training.foundation.errors import CheckpointError
from training.networks.backbones import Backbone, make_backbone
from training.recipes.metric_recipe import MetricRecipe
from training.recipes.run_recipe import recipe_in


@dataclass(frozen=True)
class LearnedNetwork:
    """A network with the recipe that made it."""

    recipe: MetricRecipe
    network: Backbone


def metric_checkpoint(path: Path) -> Path | None:
    """Return the file of a learned network that ``path`` names: itself, or a run's ``best.pt``.

    ``None`` where ``path`` is a folder without one.
    """
    if not path.is_dir():
        return path
    best = path / BEST
    return best if best.is_file() else None


def is_learned(path: Path) -> bool:
    """Return whether a checkpoint is of ``learn``; raises ``CheckpointError`` where it is none."""
    state = load_checkpoint(path, torch.device("cpu"))
    recipe = state["recipe"]
    return isinstance(recipe, dict) and "backbone" in recipe


def read_learned(path: Path, device: torch.device) -> LearnedNetwork:
    """Return the network of ``best.pt``, or of a run's whole state, ready to run.

    Of a whole state the moving average, where it has one. Raises ``CheckpointError`` for others.
    """
    try:
        state = load_checkpoint(path, device, ("network", "recipe"))
    except CheckpointError as error:
        said = str(error).splitlines()[0]
        raise CheckpointError(f"this is no network that training learn made: {said}") from error
    weights = state.get("average") or state["network"]
    try:
        recipe = recipe_in(state, MetricRecipe, path)
        # Weights to start from have done their part, and need not be there any more.
        network = make_backbone(recipe.backbone.model_copy(update={"weights": None}))
        take_weights(network, weights, path)
    except (RuntimeError, TypeError, AttributeError) as error:
        said = str(error).splitlines()[0]
        raise CheckpointError(f"{path} does not fit together: {said}") from error
    broken = first_broken(network)
    if broken is not None:
        raise CheckpointError(f"{path}: {broken} holds NaN or infinity")
    return LearnedNetwork(recipe, network.to(device).eval())
