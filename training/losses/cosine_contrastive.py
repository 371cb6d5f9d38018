"""The contrastive loss on cosines: the same towards 1, others below a margin."""

from __future__ import annotations

from pytorch_metric_learning.losses import ContrastiveLoss

from training.losses.distances import make_average, make_distance
from training.recipes.metric_recipe import CosineContrastiveRecipe


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
