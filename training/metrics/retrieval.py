"""Retrieval: is the nearest image of the same identity? R@K, mAP@10 and MAP@R.

Musgrave, Belongie and Lim, "A Metric Learning Reality Check" (ECCV 2020): MAP@R looks at the first
R answers, R being how many right ones there are, and so tells apart what R@1 calls equal.
Answers are ordered by similarity, equal ones by their row.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from training.foundation.arrays import BoolArray, FloatArray, IntArray, Matrix
from training.foundation.errors import DataError
from training.foundation.records import Record
from training.metrics.embedding_table import EmbeddingTable
from training.metrics.estimates import Estimate
from training.metrics.intervals import bootstrap_mean, bootstrap_rate
from training.metrics.pairs import blocks

RECALL_AT = (1, 5, 10)
MAP_AT = 10


class RecallAt(Record):
    """The share of queries with an image of their identity among the nearest ``k``."""

    k: int
    recall: Estimate


class Retrieval(Record):
    """How well nearest neighbours are of the same identity, with intervals by identity.

    ``map_at_10``: average precision of the first ten answers, of at most ten right ones.
    """

    queries: int
    identities: int
    gallery: int
    recall_at: tuple[RecallAt, ...]
    map_at_10: Estimate
    map_at_r: Estimate


@dataclass(frozen=True)
class QueryScores:
    """Each query's own figures: ``rows``, ``labels``, ``map_at_10``, ``map_at_r`` ``(Q,)``.

    ``rows`` are rows of the queries' table; ``hits`` ``(Q, 3)`` says for each K of ``RECALL_AT``
    whether a right answer is among the first K; ``gallery`` counts what is searched.
    """

    rows: IntArray
    labels: IntArray
    hits: BoolArray
    map_at_10: FloatArray
    map_at_r: FloatArray
    gallery: int


def most_similar(similarities: Matrix, depth: int) -> IntArray:
    """Return the columns of the ``depth`` highest of each row, highest first, ties by column.

    ``similarities`` is ``(B, N)`` and may hold ``-inf`` for what is no answer; the result is
    ``(B, min(depth, N))``.
    """
    columns = similarities.shape[1]
    if depth >= columns:
        return np.argsort(-similarities, axis=1, kind="stable").astype(np.int64)
    nearest = np.argpartition(-similarities, depth - 1, axis=1)[:, :depth]
    nearest.sort(axis=1)
    values = np.take_along_axis(similarities, nearest, axis=1)
    order = np.argsort(-values, axis=1, kind="stable")
    ranked: IntArray = np.take_along_axis(nearest, order, axis=1).astype(np.int64)
    lowest = np.take_along_axis(similarities, ranked[:, -1:], axis=1)
    for row in np.nonzero((similarities >= lowest).sum(axis=1) > depth)[0]:
        # More are equal at the border than fit: which of them argpartition took is chance.
        ranked[row] = np.argsort(-similarities[row], kind="stable")[:depth]
    return ranked


def score_leave_one_out(table: EmbeddingTable) -> QueryScores:
    """Search each image among all others; an identity's only image and unknown ones do not ask.

    Unknown images are searched all the same, as wrong answers. Raises ``DataError`` where no
    identity has two images.
    """
    return _score(table, table.labels, table, itself=True)


def score_against_gallery(queries: EmbeddingTable, gallery: EmbeddingTable) -> QueryScores:
    """Search each query in another table; identities are matched by name.

    Queries of identities that the gallery lacks do not ask. Raises ``DataError`` where none is
    left.
    """
    number = {name: position for position, name in enumerate(gallery.label_names)}
    numbers = np.array([number.get(name, -1) for name in queries.label_names] + [-1], np.int64)
    return _score(queries, numbers[queries.labels], gallery, itself=False)


def measure_retrieval(scores: QueryScores) -> Retrieval:
    """Return the means over the queries, with intervals that resample identities."""
    return Retrieval(
        queries=len(scores.rows),
        identities=len(np.unique(scores.labels)),
        gallery=scores.gallery,
        recall_at=tuple(
            RecallAt(k=k, recall=bootstrap_rate(scores.hits[:, place], scores.labels))
            for place, k in enumerate(RECALL_AT)
        ),
        map_at_10=bootstrap_mean(scores.map_at_10, scores.labels),
        map_at_r=bootstrap_mean(scores.map_at_r, scores.labels),
    )


def _score(
    queries: EmbeddingTable, wanted: IntArray, gallery: EmbeddingTable, *, itself: bool
) -> QueryScores:
    """Return the scores of queries whose identities have the gallery's numbers ``wanted``."""
    sizes = np.bincount(gallery.labels[gallery.labels >= 0], minlength=len(gallery.label_names))
    right = np.where(wanted >= 0, np.append(sizes, 0)[wanted] - itself, 0)
    rows = np.nonzero(right > 0)[0].astype(np.int64)
    if len(rows) == 0:
        raise DataError("no image has another of its identity to be found")
    depth = max(*RECALL_AT, MAP_AT, int(right.max()))
    parts = [
        _score_block(relevant, right[asking])
        for asking, relevant in _relevance(queries, wanted, gallery, rows, depth, itself)
    ]
    hits, at_10, at_r = (np.concatenate(column) for column in zip(*parts, strict=True))
    return QueryScores(rows, wanted[rows], hits, at_10, at_r, len(gallery))


def _relevance(
    queries: EmbeddingTable,
    wanted: IntArray,
    gallery: EmbeddingTable,
    rows: IntArray,
    depth: int,
    itself: bool,
) -> Iterator[tuple[IntArray, BoolArray]]:
    """Yield rows that ask and whether each of their nearest is right, ``(B, depth)``."""
    for start, similarities in blocks(queries.embeddings[rows], gallery.embeddings):
        asking = rows[start : start + len(similarities)]
        if itself:
            similarities[np.arange(len(asking)), asking] = -np.inf
        nearest = most_similar(similarities, depth)
        relevant = gallery.labels[nearest] == wanted[asking][:, None]
        if itself:
            relevant &= nearest != asking[:, None]
        yield asking, relevant


def _score_block(relevant: BoolArray, right: IntArray) -> tuple[BoolArray, FloatArray, FloatArray]:
    """Return hits, AP@10 and MAP@R of queries from their answers ``(B, depth)``, nearest first."""
    ranks = np.arange(1, relevant.shape[1] + 1)
    hits = np.stack([relevant[:, :k].any(axis=1) for k in RECALL_AT], axis=1)
    precision = np.where(relevant, relevant.cumsum(axis=1) / ranks, 0.0)
    at_10 = precision[:, :MAP_AT].sum(axis=1) / np.minimum(right, MAP_AT)
    at_r = np.where(ranks <= right[:, None], precision, 0.0).sum(axis=1) / right
    return hits, at_10, at_r
