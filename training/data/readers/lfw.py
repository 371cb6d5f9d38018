"""Reads Labeled Faces in the Wild (Huang et al. 2007): people, and the pairs to judge by."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from training.data.crops import DataError
from training.data.images import ImageSet
from training.data.readers.folders import read_folders
from training.data.readers.shards import read_shards
from training.evaluation.intervals import IntArray
from training.evaluation.populations import read_lfw_pairs


@dataclass(frozen=True)
class LfwImages:
    """People, and pairs of them as ``(key, key, same)``; ``folds`` ``(len(pairs),)``."""

    images: ImageSet
    pairs: tuple[tuple[str, str, bool], ...]
    folds: IntArray


def read_lfw(path: Path, *, name: str | None = None) -> ImageSet:
    """Return the people in a folder or tar file with ``<Name>/<Name>_nnnn.jpg``."""
    if path.is_dir():
        return read_folders(path, name=name)
    return read_shards(path, name=name)


def read_lfw_with_pairs(path: Path, pairs: Path, *, name: str | None = None) -> LfwImages:
    """Return the people and the View 2 list of pairs.

    Raises ``DataError`` where the list is malformed or names an image that is not there.
    """
    images = read_lfw(path, name=name)
    keys = [item.key for item in images.items]
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
    return LfwImages(images, named, listed.folds)
