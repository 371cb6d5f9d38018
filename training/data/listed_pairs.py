"""Pairs that a data set lists to be judged by, as LFW's View 2."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from training.foundation.arrays import BoolArray, IntArray
from training.foundation.errors import DataError


@dataclass(frozen=True)
class ListedPairs:
    """Pairs of images as ``(key, key, same)`` and the fold of each, ``(len(pairs),)``."""

    name: str
    pairs: tuple[tuple[str, str, bool], ...]
    folds: IntArray

    def below(self, prefix: str) -> ListedPairs:
        """Return the pairs with a prefix before every key."""
        pairs = tuple((prefix + one, prefix + other, same) for one, other, same in self.pairs)
        return replace(self, pairs=pairs)


@dataclass(frozen=True)
class PairList:
    """Pairs of rows ``(N, 2)``, whether each is one person, and its fold, ``(N,)`` both."""

    rows: IntArray
    same: BoolArray
    folds: IntArray


def read_lfw_pairs(path: Path, files: Iterable[str]) -> PairList:
    """Return the View 2 list: ``Name i j`` is one person, ``Name i Other j`` two.

    The first line gives the folds and the pairs of either kind in each. Raises ``DataError`` where
    the list is malformed or names a picture that is not there.
    """
    row_of = {file.rsplit("/", 1)[-1].rsplit(".", 1)[0]: row for row, file in enumerate(files)}
    lines = path.read_text().splitlines()
    header = [int(value) for value in lines[0].split()]
    per_fold = 2 * header[1] if len(header) == 2 else 0
    pairs = [line.split() for line in lines[1:] if line.strip()]
    if per_fold == 0 or len(pairs) != header[0] * per_fold:
        raise DataError(f"{path} does not hold the pairs that its first line promises")
    rows, same = [], []
    for fields in pairs:
        if len(fields) not in (3, 4):
            raise DataError(f"{path} has a line of {len(fields)} fields")
        named = [
            (fields[0], fields[1]),
            (fields[-2] if len(fields) == 4 else fields[0], fields[-1]),
        ]
        try:
            rows.append([row_of[f"{name}_{int(number):04d}"] for name, number in named])
        except KeyError as error:
            raise DataError(f"{path} names {error}, which is not among the pictures") from error
        same.append(len(fields) == 3)
    return PairList(
        rows=np.array(rows, np.int64),
        same=np.array(same),
        folds=np.arange(len(rows), dtype=np.int64) // per_fold,
    )
