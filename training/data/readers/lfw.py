"""Reads Labeled Faces in the Wild (Huang et al. 2007): people, and the pairs to judge by."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from training.data.images import ImageSet
from training.data.listed_pairs import ListedPairs, read_lfw_pairs
from training.data.readers.folders import read_folders
from training.data.readers.shards import read_shards
from training.foundation.errors import DataError


@dataclass(frozen=True)
class LfwImages:
    """People, every image of the split "test", and the listed pairs of them."""

    images: ImageSet
    listed: ListedPairs


def read_lfw(path: Path, *, name: str | None = None) -> ImageSet:
    """Return the people in a folder or tar file with ``<Name>/<Name>_nnnn.jpg``."""
    if path.is_dir():
        return read_folders(path, name=name)
    return read_shards(path, name=name)


def read_lfw_with_pairs(path: Path, pairs: Path, *, name: str | None = None) -> LfwImages:
    """Return the people and the View 2 list of pairs.

    A caller of the list evaluates with it, so that nothing here is to be learned from.
    Raises ``DataError`` where the list is malformed or names an image that is not there.
    """
    images = read_lfw(path, name=name)
    keys = [item.key for item in images.items]
    if not pairs.is_file():
        raise DataError(f"the list of pairs {pairs} does not exist")
    try:
        listed = read_lfw_pairs(pairs, keys)
    except DataError:
        raise
    except (IndexError, ValueError) as error:
        raise DataError(f"{pairs} is no list of LFW pairs: {error}") from error
    named = tuple(
        (keys[int(first)], keys[int(second)], bool(same))
        for (first, second), same in zip(listed.rows, listed.same, strict=True)
    )
    judged = tuple(replace(item, split="test") for item in images.items)
    view2 = ListedPairs(f"{images.name}, View 2", named, listed.folds)
    return LfwImages(ImageSet(images.name, judged), view2)
