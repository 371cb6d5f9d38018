"""ArcFace (Deng et al., CVPR 2019): softmax over angles, with a margin for the right one."""

from __future__ import annotations

import torch
from pytorch_metric_learning.losses import ArcFaceLoss
from pytorch_metric_learning.reducers import MeanReducer
from torch import Tensor

from training.recipes.metric_recipe import ArcFaceRecipe

#: The slope of the arc cosine is infinite at 1: an embedding in its class's very direction would
#: turn the gradient into NaN.
NEAREST_COSINE = 1 - 1e-6


class SafeArcFace(ArcFaceLoss):  # type: ignore[misc]
    """ArcFace whose gradient is finite everywhere."""

    def get_angles(self, cosine_of_target_classes: Tensor) -> Tensor:
        """Return angles ``(N,)`` in radians, a thousandth at least."""
        return torch.acos(cosine_of_target_classes.clamp(-NEAREST_COSINE, NEAREST_COSINE))


def make_arcface(recipe: ArcFaceRecipe, embedding_dim: int, classes: int) -> SafeArcFace:
    """Return the loss of a recipe.

    Beyond pi - margin, where cos(angle + margin) would rise again, the authors' own code goes on
    with cos(angle) - margin * sin(margin); so does this one.
    """
    return SafeArcFace(
        num_classes=classes,
        embedding_size=embedding_dim,
        margin=recipe.margin_degrees,
        scale=recipe.scale,
        reducer=MeanReducer(),
    )
