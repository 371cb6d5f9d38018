"""The contrastive loss on cosines: the same towards 1, others below a margin."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from pytorch_metric_learning.losses import ContrastiveLoss
from torch import Tensor

from training.data.pair_labels import PairLabels
from training.losses.distances import make_average, make_distance
from training.metric_recipe import CosineContrastiveRecipe


def cosine_contrastive_of_pairs(
    first: Tensor, second: Tensor, labels: PairLabels, margin: float
) -> Tensor:
    """Return the mean over given pairs, both ``(N, D)``, of 1 - cos or max(0, cos - margin)."""
    if len(labels) == 0:
        return (first.sum() + second.sum()) * 0.0
    cosines = F.cosine_similarity(first, second, dim=1)
    return torch.where(labels.same, 1 - cosines, (cosines - margin).clamp(min=0)).mean()


def make_cosine_contrastive(
    recipe: CosineContrastiveRecipe, _dim: int, _classes: int
) -> ContrastiveLoss:
    """Return the loss of a recipe: the mean over the same plus the mean over the others."""
    return ContrastiveLoss(
        pos_margin=1.0,
        neg_margin=recipe.margin,
        distance=make_distance("cosine"),
        reducer=make_average(recipe.average),
    )
