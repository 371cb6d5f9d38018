"""Reads the sources that a recipe names into one set of crops."""

from __future__ import annotations

from pathlib import Path

from training.data.crops import CropSet, read_crops
from training.data.images import ImageSet, combine_sets
from training.data.packing import found_shard
from training.data.readers.shards import read_shards
from training.recipes.recipe import Recipe


def source_images(recipe: Recipe, root: Path) -> ImageSet:
    """Return the pictures of every source of ``recipe``, none of them decoded yet."""
    return combine_sets(
        read_shards(
            found_shard(root / path), labelled=source.labelled, name=f"{source.name}-{number}"
        )
        for source in recipe.sources
        for number, path in enumerate(source.paths)
    )


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
