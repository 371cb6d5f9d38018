"""The people an embedder is judged on: LFW, the validation people, and the strangers."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.data.crops import CropSet, read_crops
from training.foundation.arrays import IntArray, Matrix
from training.foundation.errors import DataError


@dataclass(frozen=True)
class Pool:
    """Strangers of one group and gender: their rows among all strangers."""

    name: str
    rows: IntArray


def read_people(root: Path, name: str) -> CropSet:
    """Return ``<name>.tar`` (or the folder ``<name>``) below ``root``, labelled by person."""
    return read_crops(name, [people_archive(root, name)], labelled=True)


def rows_by_person(people: IntArray, files: Sequence[str] | None = None) -> dict[int, list[int]]:
    """Return the rows of each person: by file name where files are given, else as they stand."""
    order = (
        range(len(people)) if files is None else sorted(range(len(files)), key=files.__getitem__)
    )
    rows_of: dict[int, list[int]] = {}
    for row in order:
        rows_of.setdefault(int(people[row]), []).append(row)
    return rows_of


def read_strangers(root: Path) -> CropSet:
    """Return the strangers: one picture each, all of different people."""
    return read_crops("strangers", [people_archive(root, "strangers")], labelled=False)


def read_pools(
    attributes: Path, files: Iterable[str], min_people: int, *, by_gender: bool = True
) -> list[Pool]:
    """Return the pools of strangers of one group and gender with at least ``min_people``.

    ``attributes`` is a CSV with the columns ``file, gender, group``; who lacks one is in no pool.
    Without ``by_gender`` a pool is of one group and any gender.
    Files are told by their base names, for a tar names its folder and a folder does not. Raises
    ``DataError`` where a column is missing.
    """
    pool_of = read_groups(attributes)
    rows: dict[str, list[int]] = {}
    for position, file in enumerate(files):
        group, gender = pool_of.get(_base(file), ("", ""))
        if group and (gender or not by_gender):
            rows.setdefault(f"{group} {gender}" if by_gender else group, []).append(position)
    return [
        Pool(name, np.array(members, np.int64))
        for name, members in sorted(rows.items())
        if len(members) >= min_people
    ]


def read_groups(attributes: Path) -> dict[str, tuple[str, str]]:
    """Return group and gender by the base name of the file, empty where one is unknown.

    Raises ``DataError`` where a column of ``file, gender, group`` is missing.
    """
    with attributes.open(newline="") as stream:
        reader = csv.DictReader(stream)
        missing = {"file", "gender", "group"} - set(reader.fieldnames or ())
        if missing:
            raise DataError(f"{attributes} lacks the columns {sorted(missing)}")
        return {_base(row["file"]): (row["group"], row["gender"]) for row in reader}


def nearest_pools(
    faces: Matrix, people: IntArray, strangers: Matrix, pools: Sequence[Pool]
) -> dict[int, Pool]:
    """Return for each person of no known group the pool that resembles them most in the mean.

    By the embedder itself: groups stand here for the people it confuses with each other.
    """
    if not pools:
        return {}
    means = np.stack([strangers[pool.rows].mean(axis=0) for pool in pools])
    return {
        person: pools[int((means @ faces[people == person].mean(axis=0)).argmax())]
        for person in np.unique(people).tolist()
    }


def _base(file: str) -> str:
    return file.rsplit("/", 1)[-1]


def people_archive(root: Path, name: str) -> Path:
    """Return where people lie below ``root``: ``<name>.tar``, or the folder ``<name>``."""
    archive = root / f"{name}.tar"
    return archive if archive.is_file() else root / name
