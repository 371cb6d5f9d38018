"""Reads CelebA (Liu et al., ICCV 2015): who a face is comes from the identity file, not chance."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from pathlib import Path

from training.data.decoding import PICTURE_SUFFIXES, file_item
from training.data.images import ImageSet
from training.foundation.errors import DataError

IMAGE_FOLDER = "img_align_celeba"
#: The authors' own files, and the forms in which Kaggle offers them.
IDENTITY_FILES = ("identity_CelebA.txt", "identity_CelebA.csv")
PARTITION_FILES = ("list_eval_partition.txt", "list_eval_partition.csv")
SPLIT_OF_NUMBER = {"0": "train", "1": "validation", "2": "test"}


def read_celeba(root: Path, *, name: str | None = None) -> ImageSet:
    """Return the aligned faces with their identities and the official partition.

    Lists are the authors' text files or, where these are missing, CSV files with or without a line
    of column names; the folder may hold another of its name, as Kaggle's archive does. Raises
    ``DataError`` where the folder or a file is missing, a line is malformed, and where images,
    identities and partition do not name the same files.
    """
    folder = root / IMAGE_FOLDER
    if not folder.is_dir():
        raise DataError(f"{root} holds no folder {IMAGE_FOLDER}")
    if (folder / IMAGE_FOLDER).is_dir():
        folder /= IMAGE_FOLDER
    identity_path, partition_path = _find(root, IDENTITY_FILES), _find(root, PARTITION_FILES)
    who, parts = identity_path.name, partition_path.name
    identities, partition = _read_listing(identity_path), _read_listing(partition_path)
    there = {entry.name for entry in os.scandir(folder) if _is_picture(entry.name)}
    _refuse(set(identities) - there, f"{who} names", f"not in {IMAGE_FOLDER}")
    _refuse(there - set(identities), f"{IMAGE_FOLDER} holds", f"not in {who}")
    _refuse(set(identities) - set(partition), f"{who} names", f"not in {parts}")
    odd = sorted(set(partition.values()) - set(SPLIT_OF_NUMBER))
    if odd:
        raise DataError(f"{parts} holds a part {odd[0]!r}; known are 0, 1 and 2")
    items = tuple(
        file_item(folder / file, file, identity, SPLIT_OF_NUMBER[partition[file]])
        for file, identity in sorted(identities.items())
    )
    return ImageSet(name or root.name, items)


def _find(root: Path, names: tuple[str, ...]) -> Path:
    """Return the first of the files that is there."""
    path = next((root / name for name in names if (root / name).is_file()), None)
    if path is None:
        raise DataError(f"{root} holds no {' or '.join(names)}")
    return path


def _read_listing(path: Path) -> dict[str, str]:
    """Return what is said of each file: the second word of a line by its first."""
    listed: dict[str, str] = {}
    for number, words in _lines(path):
        if len(words) != 2 or words[0] in listed:
            raise DataError(f"{path}, line {number}: not one file, once, and its number")
        listed[words[0]] = words[1]
    if not listed:
        raise DataError(f"{path} is empty")
    return listed


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the words of every line that has any; names of columns are none."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
        if path.suffix != ".csv":
            rows = [line.split() for line in lines]
        else:
            rows = [[field.strip() for field in row] for row in csv.reader(lines, strict=True)]
            if rows and rows[0] and not _is_picture(rows[0][0]):
                rows[0] = []
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    yield from ((number, words) for number, words in enumerate(rows, 1) if words)


def _is_picture(file: str) -> bool:
    return file.lower().endswith(PICTURE_SUFFIXES) and not file.startswith(".")


def _refuse(files: set[str], where: str, problem: str) -> None:
    if files:
        raise DataError(f"{where} {len(files)} images that are {problem}, such as {min(files)}")
