"""The triplet loss of FaceNet (Schroff et al., CVPR 2015), and of Hermans et al. (2017) mined."""

from __future__ import annotations

from pytorch_metric_learning.losses import TripletMarginLoss

from training.losses.distances import make_average, make_distance
from training.recipes.metric_recipe import TripletRecipe


def make_triplet(recipe: TripletRecipe, _dim: int, _classes: int) -> TripletMarginLoss:
    """Return the loss of a recipe: the mean of max(0, d(a, p) - d(a, n) + margin).

    Without a miner it is over every triplet of the batch ("batch all"); with "batch-hard" and
    "semi-hard" it is the loss of the papers of those names.
    """
    return TripletMarginLoss(
        margin=recipe.margin,
        smooth_loss=recipe.soft,
        triplets_per_anchor="all",
        distance=make_distance(recipe.distance, unit=recipe.unit),
        reducer=make_average(recipe.average),
    )
