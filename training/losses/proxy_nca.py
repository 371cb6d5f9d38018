"""Proxy-NCA (Movshovitz-Attias et al., ICCV 2017) as a probability with a temperature (++)."""

from __future__ import annotations

from pytorch_metric_learning.losses import ProxyNCALoss
from pytorch_metric_learning.reducers import MeanReducer

from training.losses.distances import make_distance
from training.recipes.metric_recipe import ProxyNcaRecipe


def make_proxy_nca(recipe: ProxyNcaRecipe, embedding_dim: int, classes: int) -> ProxyNCALoss:
    """Return the loss of a recipe: cross-entropy over minus squared distances to all proxies.

    The right proxy is in the denominator too, and distances are divided by a temperature: both are
    Proxy-NCA++ (Teh, DeVries and Taylor, ECCV 2020). Embeddings and proxies are of unit length.
    """
    return ProxyNCALoss(
        num_classes=classes,
        embedding_size=embedding_dim,
        softmax_scale=recipe.scale,
        distance=make_distance("squared-euclidean"),
        reducer=MeanReducer(),
    )
