"""Reads pairs by filename stem in two folders, the shape of Totally Looks Like (Rosenfeld 2018)."""

from __future__ import annotations

from pathlib import Path

from training.data.decoding import file_item
from training.data.images import ImageSet
from training.data.readers.folders import files_by_stem
from training.foundation.errors import DataError
from training.recipes.source_recipe import Leftovers


def read_stem_pairs(
    root: Path,
    *,
    left: str = "left",
    right: str = "right",
    leftovers: Leftovers = "raise",
    name: str | None = None,
) -> ImageSet:
    """Return the pictures of ``left`` and ``right``: a stem is an identity with exactly two.

    Suffixes may differ within a pair. A stem without a partner is an error or left out
    (``unpaired_stems`` lists those). Raises ``DataError`` for leftovers, a missing folder, two
    files of one stem in one folder, and where no pair remains.
    """
    sides = _sides(root, left, right)
    unpaired = unpaired_stems(root, left=left, right=right)
    if unpaired and leftovers == "raise":
        raise DataError(
            f"{root}: {len(unpaired)} pictures without a partner of the same stem: "
            + ", ".join(unpaired[:5])
        )
    paired = sorted(set(sides[left]) & set(sides[right]))
    if not paired:
        raise DataError(f"{root}: {left} and {right} have no filename stem in common")
    items = tuple(
        file_item(sides[side][stem], f"{side}/{sides[side][stem].name}", stem)
        for stem in paired
        for side in (left, right)
    )
    return ImageSet(name or root.name, items)


def unpaired_stems(root: Path, *, left: str = "left", right: str = "right") -> tuple[str, ...]:
    """Return the pictures that have no partner, as ``<folder>/<stem>``, sorted."""
    sides = _sides(root, left, right)
    return tuple(
        f"{side}/{stem}"
        for side, other in ((left, right), (right, left))
        for stem in sorted(set(sides[side]) - set(sides[other]))
    )


def _sides(root: Path, left: str, right: str) -> dict[str, dict[str, Path]]:
    return {side: files_by_stem(root / side) for side in (left, right)}
