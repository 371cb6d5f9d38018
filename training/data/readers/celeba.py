"""Reads CelebA (Liu et al., ICCV 2015): who a face is comes from the identity file, not chance."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from training.data.crops import DataError
from training.data.decoding import PICTURE_SUFFIXES, read_picture
from training.data.images import ImageItem, ImageSet

IMAGE_FOLDER = "img_align_celeba"
IDENTITY_FILE = "identity_CelebA.txt"
PARTITION_FILE = "list_eval_partition.txt"
SPLIT_OF_NUMBER = {"0": "train", "1": "validation", "2": "test"}


def read_celeba(root: Path, *, name: str | None = None) -> ImageSet:
    """Return the aligned faces with their identities and the official partition.

    Raises ``DataError`` where the folder or a file is missing, a line is malformed, and where
    images, identities and partition do not name the same files.
    """
    folder = root / IMAGE_FOLDER
    if not folder.is_dir():
        raise DataError(f"{root} holds no folder {IMAGE_FOLDER}")
    identities = _read_listing(root / IDENTITY_FILE)
    partition = _read_listing(root / PARTITION_FILE)
    found = (entry.name for entry in os.scandir(folder))
    there = {file for file in found if file.lower().endswith(PICTURE_SUFFIXES) and file[0] != "."}
    _refuse(set(identities) - there, f"{IDENTITY_FILE} names", f"not in {IMAGE_FOLDER}")
    _refuse(there - set(identities), f"{IMAGE_FOLDER} holds", f"not in {IDENTITY_FILE}")
    _refuse(set(identities) - set(partition), f"{IDENTITY_FILE} names", f"not in {PARTITION_FILE}")
    odd = sorted(set(partition.values()) - set(SPLIT_OF_NUMBER))
    if odd:
        raise DataError(f"{PARTITION_FILE} holds a part {odd[0]!r}; known are 0, 1 and 2")
    items = tuple(
        ImageItem(
            file,
            identity,
            partial(read_picture, folder / file, file),
            SPLIT_OF_NUMBER[partition[file]],
        )
        for file, identity in sorted(identities.items())
    )
    return ImageSet(name or root.name, items)


def _read_listing(path: Path) -> dict[str, str]:
    """Return the second word of each line by its first."""
    if not path.is_file():
        raise DataError(f"{path.parent} holds no {path.name}")
    listed: dict[str, str] = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        words = line.split()
        if not words:
            continue
        if len(words) != 2 or words[0] in listed:
            raise DataError(f"{path}, line {number}: not one file, once, and its number")
        listed[words[0]] = words[1]
    if not listed:
        raise DataError(f"{path} is empty")
    return listed


def _refuse(files: set[str], where: str, problem: str) -> None:
    if files:
        raise DataError(f"{where} {len(files)} images that are {problem}, such as {min(files)}")
