"""Pairs of a table with their similarities: as many of one identity as of two, drawn by a seed.

Accuracy, precision and calibration depend on how many pairs are genuine; of all pairs of a table
nearly none is. Here half are, so that the figures of two tables can be compared.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.foundation.arrays import BoolArray, FloatArray, IntArray
from training.foundation.errors import DataError
from training.metrics.embedding_table import EmbeddingTable

MAX_PAIRS = 20_000  # of either kind
#: Genuine pairs of one identity where there are many, so that none speaks for all.
MAX_PAIRS_OF_ONE = 50


@dataclass(frozen=True)
class ScoredPairs:
    """Pairs with their similarity and whether they are of one identity (``same``), ``(K,)`` each.

    ``rows`` ``(K, 2)`` are rows of the table; ``first`` and ``second`` are the identities.
    """

    rows: IntArray
    similarities: FloatArray
    first: IntArray
    second: IntArray

    @property
    def same(self) -> BoolArray:
        """Whether each pair shows one identity: the one convention, true for the same."""
        same: BoolArray = self.first == self.second
        return same

    @property
    def genuine(self) -> FloatArray:
        """The similarities of the pairs of one identity."""
        return self.similarities[self.same]

    @property
    def impostor(self) -> FloatArray:
        """The similarities of the pairs of two identities."""
        return self.similarities[~self.same]


def draw_pairs(table: EmbeddingTable, seed: int, max_pairs: int = MAX_PAIRS) -> ScoredPairs:
    """Return up to ``max_pairs`` genuine pairs, and as many of different identities.

    Of every identity at most 50 genuine pairs are drawn, or its share of ``max_pairs``. Images of
    unknown identity take no part. Raises ``DataError`` without two identities or without an
    identity of two images.
    """
    random = np.random.default_rng(seed)
    known = np.nonzero(table.labels >= 0)[0]
    numbers, counts = np.unique(table.labels[known], return_counts=True)
    if len(numbers) < 2 or counts.max() < 2:
        raise DataError("pairs need two identities, and one of them two images")
    several = numbers[counts > 1]
    each = max(MAX_PAIRS_OF_ONE, max_pairs // len(several))
    genuine = np.concatenate(
        [_pairs_within(known[table.labels[known] == n], each, random) for n in several]
    )
    if len(genuine) > max_pairs:
        genuine = genuine[np.sort(random.permutation(len(genuine))[:max_pairs])]
    different = _pairs_between(known, table.labels, len(genuine), random)
    rows = np.concatenate([genuine, different])
    first, second = table.embeddings[rows[:, 0]], table.embeddings[rows[:, 1]]
    return ScoredPairs(
        rows=rows,
        similarities=np.einsum("kd,kd->k", first.astype(np.float64), second.astype(np.float64)),
        first=table.labels[rows[:, 0]],
        second=table.labels[rows[:, 1]],
    )


def _pairs_within(rows: IntArray, max_pairs: int, random: np.random.Generator) -> IntArray:
    """Return all pairs ``(K, 2)`` of one identity's rows, or ``max_pairs`` of them."""
    count = len(rows)
    total = count * (count - 1) // 2
    if total <= max_pairs:
        one, other = np.triu_indices(count, 1)
    else:
        # The n-th pair of the triangle, row by row of its columns: (a, b) with a < b.
        drawn = np.sort(random.choice(total, max_pairs, replace=False))
        other = ((1 + np.sqrt(1 + 8 * drawn)) // 2).astype(np.int64)
        one = drawn - other * (other - 1) // 2
    return np.stack([rows[one], rows[other]], axis=1).astype(np.int64)


def _pairs_between(
    known: IntArray, labels: IntArray, count: int, random: np.random.Generator
) -> IntArray:
    """Return ``count`` distinct pairs ``(count, 2)`` of different identities, or all there are."""
    sizes = np.unique(labels[known], return_counts=True)[1]
    there_are = (len(known) ** 2 - int((sizes**2).sum())) // 2
    if there_are <= 4 * count:  # few: list them all, then draw
        one, other = np.triu_indices(len(known), 1)
        pairs = np.stack([known[one], known[other]], axis=1)
        pairs = pairs[labels[pairs[:, 0]] != labels[pairs[:, 1]]]
        chosen: IntArray = pairs[np.sort(random.permutation(len(pairs))[:count])].astype(np.int64)
        return chosen
    found = np.zeros((0, 2), np.int64)
    while len(found) < count:
        drawn = np.sort(known[random.integers(0, len(known), (2 * count, 2))], axis=1)
        drawn = drawn[labels[drawn[:, 0]] != labels[drawn[:, 1]]]
        found = np.unique(np.concatenate([found, drawn]), axis=0)
    return found[np.sort(random.permutation(len(found))[:count])].astype(np.int64)
