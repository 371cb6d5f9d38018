"""Reads the sources that a recipe names into one set of crops."""

from __future__ import annotations

from pathlib import Path

from training.data.crops import CropSet, read_crops
from training.data.packing import found_shard
from training.recipes.recipe import Recipe


def read_sources(recipe: Recipe, root: Path) -> CropSet:
    """Return the crops of every source of ``recipe``, in its order, paths relative to ``root``."""
    return CropSet.concatenate(
        [
            read_crops(
                source.name,
                [found_shard(root / path) for path in source.paths],
                labelled=source.labelled,
                attributes=root / source.attributes if source.attributes else None,
                mark_black=source.mark_black,
            )
            for source in recipe.sources
        ]
    )
