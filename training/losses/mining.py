"""Which pairs or triplets of a batch count: all, the hardest, or those near the margin."""

from __future__ import annotations

from pytorch_metric_learning.distances import BaseDistance
from pytorch_metric_learning.miners import (
    BaseMiner,
    BatchHardMiner,
    PairMarginMiner,
    TripletMarginMiner,
)

from training.recipes.metric_recipe import (
    BatchHardRecipe,
    HardPairsRecipe,
    MarginMinerRecipe,
    MinerRecipe,
)


def make_miner(recipe: MinerRecipe, distance: BaseDistance) -> BaseMiner | None:
    """Return the miner of a recipe, measuring as its loss does; ``None`` takes everything."""
    if isinstance(recipe, BatchHardRecipe):
        return BatchHardMiner(distance=distance)
    if isinstance(recipe, MarginMinerRecipe):
        kind = {"hard": "hard", "semi-hard": "semihard"}[recipe.name]
        return TripletMarginMiner(recipe.margin, type_of_triplets=kind, distance=distance)
    if isinstance(recipe, HardPairsRecipe):
        return PairMarginMiner(recipe.same_beyond, recipe.others_within, distance=distance)
    return None
