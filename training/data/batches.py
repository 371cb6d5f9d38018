"""What gives a run its batches: identities as they come, or what a drawer draws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from training.data.drawing import (
    DrawnPairs,
    DrawnTriplets,
    PairDrawer,
    PKBatchSampler,
    TripletDrawer,
)
from training.data.learning_data import LearningData
from training.recipes.metric_recipe import MetricRecipe
from training.recipes.sampler_recipe import IdentityBatchRecipe, PairsRecipe, TripletsRecipe


@dataclass(frozen=True)
class Batch:
    """The row numbers of a batch, int64 ``(B,)``, and what of it is compared.

    ``drawn`` holds places in the batch, int64, in the order of pytorch-metric-learning: the pairs
    ``(a, p)`` of one identity and ``(b, n)`` of two as ``(a, p, b, n)``, or triplets of anchor,
    positive and negative as ``(a, p, n)``. None leaves the choice to the loss and its miner.
    """

    rows: Tensor
    drawn: tuple[Tensor, ...] | None = None

    @staticmethod
    def of_pairs(pairs: DrawnPairs) -> Batch:
        """Return all first images, then all second ones; the labels say which pair is which."""
        same, count = pairs.labels.same, len(pairs.labels)
        alike, apart = torch.nonzero(same).flatten(), torch.nonzero(~same).flatten()
        rows = torch.cat([pairs.first, pairs.second])
        return Batch(rows, (alike, alike + count, apart, apart + count))

    @staticmethod
    def of_triplets(triplets: DrawnTriplets) -> Batch:
        """Return all anchors, then all positives, then all negatives."""
        rows = torch.cat([triplets.anchor, triplets.positive, triplets.negative])
        return Batch(rows, tuple(torch.arange(len(rows)).view(3, -1)))


class Resumable(Protocol):
    """Its state can be put away and taken up again."""

    def state(self) -> Tensor:
        """Return all that the next batches depend on, for a checkpoint."""
        ...

    def restore(self, state: Tensor, /) -> None:
        """Go on exactly where ``state``, on the CPU, was taken."""
        ...


class BatchSource(Resumable, Protocol):
    """Draws one batch after another."""

    def draw(self) -> Batch:
        """Return the next batch."""
        ...


class DrawnBatches:
    """Batches that ``draw`` makes of what a drawer draws; the drawer's state is all there is."""

    def __init__(self, drawer: Resumable, draw: Callable[[], Batch]) -> None:
        self._drawer, self._draw = drawer, draw

    def draw(self) -> Batch:
        """Return the next batch."""
        return self._draw()

    def state(self) -> Tensor:
        """Return what ``restore`` takes to draw the same again."""
        return self._drawer.state()

    def restore(self, state: Tensor, /) -> None:
        """Go on where ``state`` was taken."""
        self._drawer.restore(state)


class ShuffledBatches:
    """Every row once in a random order, then all again in another; no batch is a smaller one."""

    def __init__(self, count: int, batch_size: int, seed: int) -> None:
        self.count, self.batch_size, self.seed = count, min(batch_size, count), seed
        self.drawn = 0

    def draw(self) -> Batch:
        """Return the next ``batch_size`` rows; they may be of two rounds."""
        round_number, place = divmod(self.drawn, self.count)
        rows = self._order(round_number)[place : place + self.batch_size]
        missing = self.batch_size - len(rows)
        if missing:
            rows = torch.cat([rows, self._order(round_number + 1)[:missing]])
        self.drawn += self.batch_size
        return Batch(rows)

    def _order(self, round_number: int) -> Tensor:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + round_number)
        return torch.randperm(self.count, generator=generator)

    def state(self) -> Tensor:
        """Return how many rows were drawn; every round's order follows from the seed."""
        return torch.tensor(self.drawn)

    def restore(self, state: Tensor, /) -> None:
        """Go on where ``state`` was taken."""
        self.drawn = int(state)


def make_batches(recipe: MetricRecipe, data: LearningData) -> BatchSource:
    """Return the source of batches that a recipe asks for."""
    sampler, labels, seed = recipe.sampler, data.labels, recipe.seed
    if isinstance(sampler, IdentityBatchRecipe):
        images = PKBatchSampler(labels, sampler.identities, sampler.images, seed)
        return DrawnBatches(images, lambda: Batch(images.draw()))
    if isinstance(sampler, PairsRecipe):
        pairs = PairDrawer(labels, seed)
        return DrawnBatches(pairs, lambda: Batch.of_pairs(pairs.draw(sampler.pairs)))
    if isinstance(sampler, TripletsRecipe):
        triplets = TripletDrawer(labels, seed)
        return DrawnBatches(triplets, lambda: Batch.of_triplets(triplets.draw(sampler.triplets)))
    return ShuffledBatches(len(data), sampler.batch_size, seed)
