"""Similarities of many pairs, computed in blocks: 64 million pairs take 256 MB."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from training.foundation.arrays import IntArray, Matrix

BLOCK = 1024


def blocks(first: Matrix, second: Matrix) -> Iterator[tuple[int, Matrix]]:
    """Yield ``(row, similarities of rows from there with all of second)``."""
    for start in range(0, len(first), BLOCK):
        yield start, first[start : start + BLOCK] @ second.T


def pair_similarities(embeddings: Matrix) -> Matrix:
    """Return the similarity of every pair ``i < j``, ``(N (N - 1) / 2,)``, row after row."""
    count = len(embeddings)
    similarities = np.empty(count * (count - 1) // 2, np.float32)
    filled = 0
    for start, block in blocks(embeddings, embeddings):
        for offset, row in enumerate(block):
            rest = row[start + offset + 1 :]
            similarities[filled : filled + len(rest)] = rest
            filled += len(rest)
    return similarities


def pair_positions(pairs: IntArray, count: int) -> IntArray:
    """Return where the pairs ``(K, 2)``, each ``i < j < count``, lie in ``pair_similarities``."""
    first, second = pairs[:, 0], pairs[:, 1]
    return first * count - first * (first + 1) // 2 + second - first - 1


def pairs_within(pairs: IntArray, rows: IntArray) -> IntArray:
    """Return those ``pairs`` of rows that lie inside ``rows``, as positions there, ``i < j``."""
    place = {int(row): position for position, row in enumerate(rows)}
    inside = [
        sorted((place[int(a)], place[int(b)])) for a, b in pairs if {int(a), int(b)} <= place.keys()
    ]
    return np.array(inside, np.int64).reshape(-1, 2)


def pairs_at_or_above(embeddings: Matrix, threshold: float) -> IntArray:
    """Return the pairs ``(K, 2)``, each ``i < j``, whose similarity reaches ``threshold``."""
    found = []
    for start, block in blocks(embeddings, embeddings):
        rows, columns = np.nonzero(block >= threshold)
        rows = rows + start
        ordered = rows < columns
        found.append(np.stack([rows[ordered], columns[ordered]], axis=1))
    return np.concatenate(found).astype(np.int64) if found else np.zeros((0, 2), np.int64)


def same_and_different(embeddings: Matrix, identities: IntArray) -> tuple[Matrix, IntArray, Matrix]:
    """Return similarities of all pairs of one person, whose they are, and of all other pairs."""
    same, owners, different = [], [], []
    for start, block in blocks(embeddings, embeddings):
        rows = np.arange(start, start + len(block))
        upper = rows[:, None] < np.arange(len(embeddings))[None]
        alike = identities[rows][:, None] == identities[None]
        same.append(block[upper & alike])
        owners.append(identities[rows[np.nonzero(upper & alike)[0]]])
        different.append(block[upper & ~alike])
    return np.concatenate(same), np.concatenate(owners), np.concatenate(different)


def cross_similarities(
    first: Matrix, second: Matrix, first_identities: IntArray, second_identities: IntArray
) -> Matrix:
    """Return the similarities of every pair of different people, one from either side."""
    parts = [
        block[first_identities[start : start + len(block), None] != second_identities[None]]
        for start, block in blocks(first, second)
    ]
    return np.concatenate(parts)
