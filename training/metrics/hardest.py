"""The pairs that a model gets most wrong, and what it answers to single queries."""

from __future__ import annotations

import numpy as np

from training.foundation.arrays import BoolArray, FloatArray, IntArray, Matrix
from training.foundation.records import Record
from training.metrics.embedding_table import EmbeddingTable
from training.metrics.open_set import OpenSetScores
from training.metrics.pairs import blocks
from training.metrics.retrieval import most_similar
from training.metrics.table_parts import OpenSetParts, label_name


class PairFound(Record):
    """Two images by key and identity; ``distance`` is Euclidean, ``sqrt(2 - 2 similarity)``."""

    keys: tuple[str, str]
    labels: tuple[str, str]
    similarity: float
    distance: float


class Hit(Record):
    """One answer to a query."""

    key: str
    label: str | None
    similarity: float


class RankedQuery(Record):
    """A query and its nearest gallery images, nearest first; ``known``: it has one in there."""

    key: str
    label: str | None
    known: bool
    hits: tuple[Hit, ...]


class HardestPairs(Record):
    """Pairs of one identity that look least alike, pairs of two that look most alike."""

    genuine: tuple[PairFound, ...]
    impostor: tuple[PairFound, ...]


def find_hardest_pairs(table: EmbeddingTable, count: int) -> HardestPairs:
    """Return the ``count`` lowest genuine and highest impostor pairs of known identities."""
    known = np.nonzero(table.labels >= 0)[0].astype(np.int64)
    embeddings, labels = table.embeddings[known], table.labels[known]
    lowest, highest = np.zeros((0, 3)), np.zeros((0, 3))
    for start, block in blocks(embeddings, embeddings):
        rows = np.arange(start, start + len(block))
        upper = rows[:, None] < np.arange(len(known))[None]
        alike = labels[rows][:, None] == labels[None]
        lowest = _kept(lowest, start, block, upper & alike, count, 1.0)
        highest = _kept(highest, start, block, upper & ~alike, count, -1.0)

    def named(found: FloatArray) -> tuple[PairFound, ...]:
        return tuple(
            _pair(table, int(known[int(a)]), int(known[int(b)]), float(s)) for s, a, b in found
        )

    return HardestPairs(genuine=named(lowest), impostor=named(highest))


def rank_queries(
    table: EmbeddingTable, parts: OpenSetParts, rows: IntArray, count: int
) -> tuple[RankedQuery, ...]:
    """Return the ``count`` nearest enrolled images of each query row."""
    enrolled = np.sort(parts.enrollment.enrolled.ravel())
    inside = set(np.unique(table.labels[enrolled]).tolist())
    similarities = table.embeddings[rows] @ table.embeddings[enrolled].T
    nearest = most_similar(similarities, count)
    return tuple(
        RankedQuery(
            key=table.keys[row],
            label=label_name(table, int(row)),
            known=int(table.labels[row]) in inside,
            hits=tuple(
                Hit(
                    key=table.keys[enrolled[column]],
                    label=label_name(table, int(enrolled[column])),
                    similarity=float(similarities[place, column]),
                )
                for column in nearest[place]
            ),
        )
        for place, row in enumerate(rows)
    )


def choose_queries(
    parts: OpenSetParts, seen: OpenSetScores, count: int, seed: int
) -> tuple[IntArray, IntArray]:
    """Return rows of known and of unknown queries: half drawn by ``seed``, half the worst.

    The worst known ones are least similar to their own person, the worst outsiders most similar to
    somebody. ``seen.peaks`` must belong to ``parts.outsiders``.
    """
    random = np.random.default_rng(seed)
    chosen = []
    for rows, badness in ((parts.enrollment.probes, -seen.own), (parts.outsiders, seen.peaks)):
        worst = np.argsort(-badness, kind="stable")[: count // 2]
        rest = np.setdiff1d(np.arange(len(rows)), worst)
        drawn = random.permutation(rest)[: count - len(worst)]
        chosen.append(rows[np.concatenate([drawn, worst])].astype(np.int64))
    return chosen[0], chosen[1]


def _kept(
    found: FloatArray,
    start: int,
    block: Matrix,
    wanted: BoolArray,
    count: int,
    sign: float,
) -> FloatArray:
    """Return the best rows ``(similarity, row, column)`` of those found and those of a block."""
    ranked = np.where(wanted, np.float32(sign) * block, np.float32(np.inf)).ravel()
    nearest = (
        np.argpartition(ranked, count - 1)[:count]
        if len(ranked) > count
        else np.arange(len(ranked))
    )
    nearest = nearest[np.isfinite(ranked[nearest])]
    rows, columns = np.divmod(nearest, block.shape[1])
    values = block[rows, columns].astype(np.float64)
    together = np.concatenate([found, np.stack([values, rows + start, columns], axis=1)])
    order = np.lexsort((together[:, 2], together[:, 1], sign * together[:, 0]))
    best: FloatArray = together[order[:count]]
    return best


def _pair(table: EmbeddingTable, one: int, other: int, similarity: float) -> PairFound:
    return PairFound(
        keys=(table.keys[one], table.keys[other]),
        labels=(str(label_name(table, one)), str(label_name(table, other))),
        similarity=similarity,
        distance=float(np.sqrt(max(0.0, 2 - 2 * similarity))),
    )
