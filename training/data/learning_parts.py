"""Reads the data of a recipe: every source, transformed and divided."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from training.data.held_out import divide
from training.data.images import ImageSet, combine_sets, unlike_names
from training.data.learning_data import LearningData, without_single
from training.data.listed_pairs import ListedPairs
from training.data.readers.lfw import read_lfw_with_pairs
from training.data.readers.registry import read_images
from training.data.transform import load_images
from training.foundation.errors import DataError
from training.recipes.metric_recipe import MetricRecipe
from training.recipes.source_recipe import SourceRecipe


@dataclass(frozen=True)
class LearningParts:
    """What to learn from, what to watch (may be empty), what to judge by, what was unreadable.

    ``listed`` are pairs of the test images that a source wants to be judged by. ``sources`` names
    the data sets, in the keys of whose images the name goes first; none where there is only one.
    """

    train: LearningData
    validation: LearningData
    test: LearningData
    skipped: tuple[tuple[str, str], ...]
    listed: tuple[ListedPairs, ...] = ()
    sources: tuple[str, ...] = ()


def load_parts(recipe: MetricRecipe, root: Path = Path()) -> LearningParts:
    """Return the parts, each with its identities numbered anew; ``DataError`` says what is wrong.

    An identity whose every image is unreadable has no number, and none of its images is learned.
    """
    settings = recipe.data
    read = [_read(source, root) for source in settings.sources]
    names = unlike_names([images.name for images, _ in read])
    whole = combine_sets(images for images, _ in read)
    loaded = load_images(whole, settings.transform)
    data = LearningData(loaded.images, loaded.labels, loaded.keys, loaded.label_names)
    split_of = {item.key: item.split for item in whole.items}
    parts = divide(data.labels, [split_of[key] for key in data.keys], settings, data.label_names)
    train = data.part(parts.train)
    if recipe.needs_pairs and settings.drop_single:
        train = without_single(train)
    listed = tuple(
        pairs if len(read) == 1 else pairs.below(f"{name}/")  # as combined sets are named
        for name, (_, pairs) in zip(names, read, strict=True)
        if pairs is not None
    )
    return LearningParts(
        train,
        data.part(parts.validation),
        data.part(parts.test),
        loaded.skipped,
        listed,
        names if len(read) > 1 else (),
    )


def recipe_images(recipe: MetricRecipe, root: Path = Path()) -> ImageSet:
    """Return the images of all sources of a recipe, undivided and not yet decoded."""
    return combine_sets(_read(source, root)[0] for source in recipe.data.sources)


def sources_of(keys: Sequence[str], sources: Sequence[str]) -> tuple[str, ...]:
    """Return the data set of each key, as ``combine_sets`` names them; none for a single set."""
    if not sources:
        return ()
    known = set(sources)
    found = tuple(key.split("/", 1)[0] for key in keys)
    return found if set(found) <= known else ()


def _read(source: SourceRecipe, root: Path) -> tuple[ImageSet, ListedPairs | None]:
    """Return the images of a source, and the pairs that it lists."""
    path = None if source.path is None else root / source.path
    listed = None
    if source.pairs is not None and path is not None:
        lfw = read_lfw_with_pairs(path, root / source.pairs)
        images = lfw.images if source.name is None else replace(lfw.images, name=source.name)
        listed = lfw.listed
    else:
        columns = None if source.columns is None else dict[str, str](source.columns.items())
        images = read_images(
            source.kind, path, name=source.name, leftovers=source.leftovers, columns=columns
        )
    if source.only is None:
        return images, listed
    kept = tuple(i for i in images.items if i.label is not None and re.match(source.only, i.label))
    if not kept:
        raise DataError(f"no identity of {images.name} begins like {source.only!r}")
    return ImageSet(images.name, kept), listed
