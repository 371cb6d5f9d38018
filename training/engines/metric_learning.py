"""What a step of similarity learning is: a batch of images, a loss on who is who, and a teacher."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from training.augment.generic import augment_generic
from training.augment.randomness import Randomness
from training.data.batches import BatchSource
from training.data.learning_data import LearningData, check_learnable
from training.engines.optimisers import metric_optimiser
from training.engines.run import Losses
from training.foundation.environment import fingerprint
from training.foundation.errors import DataError
from training.foundation.precision import Precision
from training.losses.metric import make_loss
from training.losses.teacher import teacher_term
from training.networks.backbones import make_backbone
from training.recipes.metric_recipe import MetricRecipe

#: From a network to the number that should rise (R@1).
Validation = Callable[[nn.Module], float]
#: From rows ``(B,)`` to the teacher's embeddings ``(B, T)``.
Targets = Callable[[Tensor], Tensor]


class MetricStep:
    """Shows a batch of changed images to a network, and its embeddings to a loss.

    Raises ``DataError`` where the recipe asks what the data or the machine cannot give.
    """

    def __init__(
        self,
        recipe: MetricRecipe,
        data: LearningData,
        batches: BatchSource,
        device: torch.device,
        validation: Validation | None = None,
        targets: Targets | None = None,
    ) -> None:
        self.recipe = recipe = recipe.on(device)
        check_learnable(data, recipe)
        if recipe.patience is not None and validation is None:
            raise DataError("patience needs a validation part to watch")
        if (recipe.teacher is None) != (targets is None):
            raise DataError("a recipe with a teacher, and no other, needs its embeddings")
        torch.manual_seed(recipe.seed)
        self.data, self.batches, self.device = data, batches, device
        self.validation, self.targets = validation, targets
        self.keys, self.fingerprint = data.keys, fingerprint(data.images, data.labels)
        self.earlier_runs: list[dict[str, Any]] = []
        self.precision = Precision(recipe.precision)
        self.network: nn.Module = make_backbone(recipe.backbone).to(device)
        self.heads: nn.Module = make_loss(
            recipe.loss, recipe.backbone.embedding_dim, data.classes, recipe.miner
        ).to(device)
        self.optimiser = metric_optimiser(
            self.network,
            self.heads,
            getattr(recipe.loss, "learning_rate_factor", 1.0),
            recipe.optimiser,
            torch.amp.GradScaler(device.type, enabled=self.precision is Precision.FP16),
        )

    def losses(self, progress: float, random: Randomness) -> Losses:
        """Draw a batch, show it to the network and return its losses."""
        del progress
        recipe, batch = self.recipe, self.batches.draw()
        rows = batch.rows
        images = augment_generic(self.data.images[rows].to(self.device), recipe.augment, random)
        with self.precision.on(self.device):
            embeddings = self.network(images)
        embeddings = embeddings.float()
        labels = self.data.labels[rows].to(self.device)
        terms = {"metric": self.heads(embeddings, labels, batch.drawn)}
        if recipe.teacher is not None and self.targets is not None:
            wanted = self.targets(rows).to(self.device)
            term = teacher_term(recipe.teacher.kind, embeddings, wanted)
            terms["teacher"] = recipe.teacher.weight * term
        return Losses(rows, embeddings, terms, {"cosine": _mean_cosine(embeddings.detach())})

    def validate(self, network: nn.Module) -> float:
        """Return R@1 on the validation part, or NaN where there is none."""
        return float("nan") if self.validation is None else self.validation(network)

    def sampler_state(self) -> Tensor:
        """Return all that the next batches depend on."""
        return self.batches.state()

    def restore_sampler(self, state: Tensor) -> None:
        """Go on where ``state`` was taken."""
        self.batches.restore(state)


def _mean_cosine(embeddings: Tensor) -> float:
    """Return the mean cosine of all pairs of a batch ``(B, D)``: 1 where a network has collapsed.

    The square of the sum of unit vectors is the sum of all their products.
    """
    count = len(embeddings)
    if count < 2:
        return float("nan")
    total = nn.functional.normalize(embeddings.double(), dim=1).sum(dim=0)
    return float((total.square().sum() - count) / (count * (count - 1)))
