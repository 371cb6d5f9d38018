"""Networks to learn with, ours and well-known ones, all from bytes to embeddings in one call."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.foundation.checkpoints import take_weights
from training.foundation.errors import CheckpointError
from training.networks.small_cnn import SmallNetwork
from training.networks.student import StudentNetwork
from training.recipes.metric_recipe import BackboneRecipe

IMAGENET_MEAN = (123.675, 116.28, 103.53)
IMAGENET_DEVIATION = (58.395, 57.12, 57.375)
#: What the classifier of a published network is called; an embedding takes its place.
CLASSIFIERS = ("fc.", "classifier.")


class Backbone(nn.Module):
    """RGB images in 0..255, uint8 or float ``(N, 3, S, S)``, to embeddings ``(N, D)``.

    ``unit_norm`` brings them to length 1, here and thus in whatever is exported.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(
        self,
        network: nn.Module,
        project: nn.Module,
        scale: tuple[tuple[float, ...], tuple[float, ...]],
        *,
        unit_norm: bool,
    ) -> None:
        super().__init__()
        self.network, self.project, self.unit_norm = network, project, unit_norm
        for name, values in zip(("mean", "deviation"), scale, strict=True):
            self.register_buffer(name, torch.tensor(values).view(1, -1, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return the embeddings."""
        scaled = (images.float() - self.mean) / self.deviation
        embeddings: Tensor = self.project(self.network(scaled))
        return F.normalize(embeddings.float(), dim=1) if self.unit_norm else embeddings


def make_backbone(recipe: BackboneRecipe) -> Backbone:
    """Return the network of a recipe, with its weights where the recipe names a file.

    Raises ``CheckpointError`` where the file is missing or holds another network.
    """
    if recipe.name == "student":
        sizes = {
            name: value
            for name, value in (("widths", recipe.widths), ("blocks", recipe.blocks))
            if value is not None
        }
        student = StudentNetwork(
            **sizes, embedding_dim=recipe.embedding_dim, dropout=recipe.dropout
        )
        plain = ((0.0,), (1.0,))  # the student scales for itself
        made = Backbone(student, nn.Identity(), plain, unit_norm=recipe.unit_norm)
    else:
        network, features = _network_of(recipe)
        project = nn.Sequential(
            nn.Dropout(recipe.dropout), nn.Linear(features, recipe.embedding_dim)
        )
        published = recipe.name != "small-cnn"
        scale = (IMAGENET_MEAN, IMAGENET_DEVIATION) if published else ((127.5,), (127.5,))
        made = Backbone(network, project, scale, unit_norm=recipe.unit_norm)
    if recipe.weights is not None:
        load_weights(made, recipe.weights)
    return made


def _network_of(recipe: BackboneRecipe) -> tuple[nn.Module, int]:
    """Return a network that gives features ``(N, F)``, and F."""
    if recipe.name == "small-cnn":
        return SmallNetwork(), SmallNetwork.features
    from training.networks.torchvision_models import (  # noqa: PLC0415 - slow, and seldom needed
        make_timm_network,
        models,
    )

    if recipe.name in {"resnet18", "resnet34"}:
        network: nn.Module = getattr(models, recipe.name)()
        network.fc = nn.Identity()
        return network, 512
    timm_name = {
        "efficientnet-b0": "efficientnet_b0",
        "efficientnet-lite0": "efficientnet_lite0",
    }[recipe.name]
    return make_timm_network(timm_name), 1280


def load_weights(backbone: Backbone, path: Path) -> None:
    """Load a run's checkpoint, a bare state_dict of the whole backbone, or of its network alone.

    A published network's classifier is left out. Anything else that is missing, left over or of
    another shape is a ``CheckpointError``, and nothing is loaded.
    """
    state = _read_state(path)
    if any(name.startswith("network.") for name in state):
        target: nn.Module = backbone
    else:
        target = backbone.network
        if not isinstance(target, StudentNetwork):
            state = {k: v for k, v in state.items() if not k.startswith(CLASSIFIERS)}
    take_weights(target, state, path)


def _read_state(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise CheckpointError(f"the weights {path} do not exist (nothing is downloaded)")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise CheckpointError(f"{path} cannot be read as weights: {error}") from error
    for key in ("network", "student", "state_dict"):  # checkpoints of our runs, and timm's
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise CheckpointError(f"{path} holds no state_dict")
    return dict(state)
