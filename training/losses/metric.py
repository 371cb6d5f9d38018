"""Every metric loss behind one call, ``loss(embeddings, labels)``, mined or of what was drawn."""

from __future__ import annotations

import torch
from pytorch_metric_learning.miners import BaseMiner
from torch import Tensor, nn

from training.data.crops import NO_LABEL
from training.losses.arcface import make_arcface
from training.losses.contrastive import make_contrastive
from training.losses.cosine_contrastive import make_cosine_contrastive
from training.losses.mining import make_miner
from training.losses.proxy_nca import make_proxy_nca
from training.losses.triplet import make_triplet
from training.recipes.metric_recipe import (
    AllRecipe,
    ArcFaceRecipe,
    ContrastiveRecipe,
    CosineContrastiveRecipe,
    LossRecipe,
    MinerRecipe,
    NoLossRecipe,
    ProxyNcaRecipe,
    TripletRecipe,
)


class MinedLoss(nn.Module):
    """A loss of ``pytorch-metric-learning`` on the pairs or triplets that a miner chooses.

    Images of unknown identity are left out first: to the library -1 is an identity like any other
    (or, to a loss with classes, the last of them).
    """

    def __init__(self, loss: nn.Module, miner: BaseMiner | None) -> None:
        super().__init__()
        self.loss, self.miner = loss, miner

    def forward(
        self, embeddings: Tensor, labels: Tensor, drawn: tuple[Tensor, ...] | None = None
    ) -> Tensor:
        """Return the loss in full precision; ``drawn`` are the places of all that is compared."""
        exact = embeddings if embeddings.dtype == torch.float64 else embeddings.float()
        if drawn is not None:
            places = tuple(place.to(embeddings.device) for place in drawn)
            given: Tensor = self.loss(exact, labels, places)
            return given
        known = labels != NO_LABEL
        if not bool(known.any()):
            return embeddings.sum() * 0.0
        chosen, identities = exact[known], labels[known]
        mined = None if self.miner is None else self.miner(chosen, identities)
        total: Tensor = self.loss(chosen, identities, mined)
        return total


class NoLoss(nn.Module):
    """Nothing but a teacher teaches."""

    def forward(
        self,
        embeddings: Tensor,
        labels: Tensor,  # noqa: ARG002
        drawn: tuple[Tensor, ...] | None = None,  # noqa: ARG002
    ) -> Tensor:
        """Return a differentiable zero."""
        return embeddings.sum() * 0.0


def make_loss(
    recipe: LossRecipe, embedding_dim: int, classes: int, miner: MinerRecipe | None = None
) -> MinedLoss | NoLoss:
    """Return the loss of a recipe, for embeddings of this size and so many identities.

    It takes embeddings ``(N, D)`` and identities ``(N,)``, ``NO_LABEL`` where unknown, and gives a
    scalar: a differentiable zero where a batch has nothing to say. It changes neither. Where pairs
    or triplets were drawn it takes their places too (``training.data.batches.Batch``) and
    compares these alone, whatever the identities. Weights of its own (proxies, class directions)
    are its ``parameters()``.
    """
    if isinstance(recipe, NoLossRecipe):
        return NoLoss()
    loss = _make_unmined(recipe, embedding_dim, classes)
    return MinedLoss(loss, make_miner(miner or AllRecipe(), loss.distance))


def _make_unmined(recipe: LossRecipe, embedding_dim: int, classes: int) -> nn.Module:
    match recipe:
        case ContrastiveRecipe():
            made: nn.Module = make_contrastive(recipe, embedding_dim, classes)
        case CosineContrastiveRecipe():
            made = make_cosine_contrastive(recipe, embedding_dim, classes)
        case TripletRecipe():
            made = make_triplet(recipe, embedding_dim, classes)
        case ProxyNcaRecipe():
            made = make_proxy_nca(recipe, embedding_dim, classes)
        case ArcFaceRecipe():
            made = make_arcface(recipe, embedding_dim, classes)
        case NoLossRecipe():
            raise ValueError("there is no loss to mine for")
    return made
