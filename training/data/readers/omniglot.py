"""Reads Omniglot (Lake, Salakhutdinov and Tenenbaum 2015): characters of many alphabets."""

from __future__ import annotations

from pathlib import Path

from training.data.decoding import file_item
from training.data.images import ImageSet
from training.data.readers.folders import picture_files
from training.foundation.errors import DataError

#: The folders of the two zip files and the split that each stands for: no alphabet is in both.
SPLIT_OF_FOLDER = {"images_background": "train", "images_evaluation": "test"}


def read_omniglot(root: Path, *, name: str | None = None) -> ImageSet:
    """Return the drawings ``images_background/<alphabet>/<character>/<file>``, labelled so.

    The label is ``<alphabet>/<character>``, for every alphabet has a "character01". One of the two
    parts may be missing. Raises ``DataError`` where both are, or a drawing lies elsewhere.
    """
    parts = {folder: split for folder, split in SPLIT_OF_FOLDER.items() if (root / folder).is_dir()}
    if not parts:
        raise DataError(f"{root} holds neither {' nor '.join(SPLIT_OF_FOLDER)}")
    items = []
    for folder, split in parts.items():
        for file in picture_files(root / folder):
            within = file.relative_to(root / folder).parts
            if len(within) != 3:
                raise DataError(f"{file} lies elsewhere than <alphabet>/<character>/<file>")
            key = f"{folder}/{'/'.join(within)}"
            label = f"{within[0]}/{within[1]}"
            items.append(file_item(file, key, label, split))
    return ImageSet(name or root.name, tuple(items))
