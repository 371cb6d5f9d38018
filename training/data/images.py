"""What every reader gives: named images with the identity each one shows, read when asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.domain.faces import Picture
from training.data.crops import NO_LABEL
from training.foundation.arrays import IntArray
from training.foundation.errors import DataError


class UnreadableImageError(DataError):
    """An image cannot be decoded; the message names it and says why."""


@dataclass(frozen=True)
class ImageItem:
    """One image. ``read`` returns its picture or raises ``UnreadableImageError``.

    ``key`` is unique in its set; ``label`` names who or what it shows, ``None`` where unknown;
    ``split`` is the part of a data set that comes divided ("train", "validation", "test");
    ``content`` returns the bytes of the image's own file, where it has one.
    """

    key: str
    label: str | None
    read: Callable[[], Picture]
    split: str | None = None
    content: Callable[[], bytes] | None = None


@dataclass(frozen=True)
class ImageSet:
    """Images under one name; nothing is decoded before it is asked for."""

    name: str
    items: tuple[ImageItem, ...]

    def __post_init__(self) -> None:
        """Raise ``DataError`` where two images share a key."""
        keys = [item.key for item in self.items]
        if len(set(keys)) != len(keys):
            twice = next(key for key in keys if keys.count(key) > 1)
            raise DataError(f"{self.name} holds {twice!r} twice")

    def __len__(self) -> int:
        return len(self.items)

    @property
    def label_names(self) -> tuple[str, ...]:
        """The identities in order of their numbers."""
        return tuple(sorted({item.label for item in self.items if item.label is not None}))

    @property
    def labels(self) -> IntArray:
        """The number of each image's identity, ``(N,)``; ``NO_LABEL`` where unknown."""
        number = {name: position for position, name in enumerate(self.label_names)}
        listed = [NO_LABEL if i.label is None else number[i.label] for i in self.items]
        return np.array(listed, np.int64)

    def of_split(self, split: str) -> ImageSet:
        """Return the images of one part; raises ``DataError`` where there is none."""
        chosen = tuple(item for item in self.items if item.split == split)
        if not chosen:
            known = ", ".join(sorted({str(item.split) for item in self.items}))
            raise DataError(f"{self.name} has no images of split {split!r}; it has: {known}")
        return ImageSet(f"{self.name}:{split}", chosen)


def combine_sets(sets: Iterable[ImageSet]) -> ImageSet:
    """Return one set of all; keys and identities carry their set's name, so none is confused.

    A set is often named after its folder, and folders of several sets may be named alike: the
    second "raw" is called "raw#2".
    """
    listed = list(sets)
    if len(listed) == 1:
        return listed[0]
    names = unlike_names([part.name for part in listed])
    listed = [replace(part, name=name) for part, name in zip(listed, names, strict=True)]
    items = tuple(
        replace(
            item,
            key=f"{part.name}/{item.key}",
            label=None if item.label is None else f"{part.name}/{item.label}",
        )
        for part in listed
        for item in part.items
    )
    return ImageSet(" + ".join(part.name for part in listed), items)


def unlike_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names, those that were there before with "#2", "#3" and so on behind them."""
    found: list[str] = []
    for name in names:
        number, unlike = 1, name
        while unlike in found or (number > 1 and unlike in names):
            number += 1
            unlike = f"{name}#{number}"
        found.append(unlike)
    return tuple(found)
