"""The contrastive loss of Hadsell, Chopra and LeCun (CVPR 2006): Euclidean, with a margin."""

from __future__ import annotations

import torch
from pytorch_metric_learning.losses import ContrastiveLoss
from torch import Tensor

from training.data.pair_labels import PairLabels
from training.losses.distances import make_average, make_distance
from training.recipes.metric_recipe import ContrastiveRecipe


def contrastive_terms(distances: Tensor, labels: PairLabels, margin: float) -> Tensor:
    """Return eq. 4 for each pair ``(N,)``: half the square of what is too far or too near.

    The paper's Y is 1 for *different*; here only ``labels.same`` says which is which.
    """
    too_far = 0.5 * distances.square()
    too_near = 0.5 * (margin - distances).clamp(min=0).square()
    return torch.where(labels.same, too_far, too_near)


class HadsellLoss(ContrastiveLoss):  # type: ignore[misc]
    """The mean over the pairs of the same and the mean over the others, of a batch or as mined.

    ``pytorch-metric-learning`` pairs, measures and averages; its own terms are linear in the
    distance, so that the paper's squares are put in their place.
    """

    def get_per_pair_loss(self, pair_dists: Tensor, pos_or_neg: str) -> Tensor:
        """Return the terms of pairs that are all the same ("pos") or all different ("neg")."""
        same = torch.full_like(pair_dists, pos_or_neg == "pos", dtype=torch.bool)
        return contrastive_terms(pair_dists, PairLabels(same), float(self.neg_margin))


def make_contrastive(recipe: ContrastiveRecipe, _dim: int, _classes: int) -> HadsellLoss:
    """Return the loss of a recipe; it has no weights of its own."""
    return HadsellLoss(
        neg_margin=recipe.margin,
        distance=make_distance("euclidean", unit=recipe.unit),
        reducer=make_average(recipe.average),
    )
