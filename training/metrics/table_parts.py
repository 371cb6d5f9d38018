"""Parts of an embedding table: some rows, the known ones, few of each, gallery and outsiders."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.foundation.arrays import IntArray
from training.metrics.embedding_table import EmbeddingTable
from training.metrics.open_set import Enrollment, enroll_people

OUTSIDER_SHARE = 0.3
FEWEST = 2  # of one identity: a pair


@dataclass(frozen=True)
class OpenSetParts:
    """Who is enrolled, and the rows ``(I,)`` of identities that nobody enrolled.

    ``enrollment`` holds rows of the whole table.
    """

    enrollment: Enrollment
    outsiders: IntArray


def part_of(table: EmbeddingTable, rows: IntArray) -> EmbeddingTable:
    """Return the table of these rows, in this order; identities keep their numbers."""
    return EmbeddingTable(
        table.embeddings[rows],
        table.labels[rows],
        tuple(table.keys[row] for row in rows),
        table.label_names,
        tuple(table.sources[row] for row in rows) if table.sources else (),
    )


def known_part(table: EmbeddingTable) -> EmbeddingTable:
    """Return the rows whose identity is known."""
    return part_of(table, np.nonzero(table.labels >= 0)[0].astype(np.int64))


def label_name(table: EmbeddingTable, row: int) -> str | None:
    """Return the name of a row's identity, ``None`` where it is unknown."""
    number = int(table.labels[row])
    return None if number < 0 else table.label_names[number]


def thinned(table: EmbeddingTable, max_rows: int, seed: int) -> EmbeddingTable:
    """Return at most ``max_rows`` rows: first fewer of each identity, then fewer identities.

    So that genuine pairs remain. Rows stay in their order; a table that fits is returned as it is.
    """
    if len(table) <= max_rows:
        return table
    random = np.random.default_rng(seed)
    shuffled = random.permutation(len(table))
    place = _place_within_identity(table.labels[shuffled])
    sizes = np.unique(table.labels, return_counts=True)[1]
    max_each = max(
        (
            each
            for each in range(FEWEST, int(sizes.max()) + 1)
            if np.minimum(sizes, each).sum() <= max_rows
        ),
        default=FEWEST,
    )
    kept = np.sort(shuffled[place < max_each])
    if len(kept) > max_rows:
        order = random.permutation(len(sizes))
        numbers = np.unique(table.labels)[order]
        total = np.cumsum(np.minimum(sizes, max_each)[order])
        kept = kept[np.isin(table.labels[kept], numbers[total <= max_rows])]
    return part_of(table, kept.astype(np.int64))


def split_open_set(
    table: EmbeddingTable, photos: int, seed: int, outsider_share: float = OUTSIDER_SHARE
) -> OpenSetParts:
    """Keep a share of the identities out, enroll the first ``photos`` by key of those that remain.

    Identities with at most ``photos`` images cannot be enrolled and probed: they are outsiders
    first, then identities drawn by ``seed`` until their share is reached; at least one identity
    stays outside and one inside. Rows of unknown identity take no part. Raises ``ValueError`` where
    fewer than one identity can be enrolled or nobody is left outside.
    """
    known = np.nonzero(table.labels >= 0)[0]
    numbers, counts = np.unique(table.labels[known], return_counts=True)
    able, unable = numbers[counts > photos], numbers[counts <= photos]
    wanted = max(1, round(outsider_share * len(numbers)))
    drawn = np.random.default_rng(seed).permutation(able)[: max(0, wanted - len(unable))]
    enrolled = np.setdiff1d(able, drawn)
    if len(enrolled) == 0 or len(drawn) + len(unable) == 0:
        raise ValueError(f"too few identities of more than {photos} images for an open set")
    inside = known[np.isin(table.labels[known], enrolled)]
    keys = tuple(table.keys[row] for row in inside)
    local = enroll_people(table.labels[inside], keys, photos)
    return OpenSetParts(
        enrollment=Enrollment(inside[local.enrolled], inside[local.probes], local.owners),
        outsiders=known[~np.isin(table.labels[known], enrolled)].astype(np.int64),
    )


def _place_within_identity(labels: IntArray) -> IntArray:
    """Return for each row how many rows of its identity come before it, ``(N,)``."""
    order = np.argsort(labels, kind="stable")
    ordered = labels[order]
    starts = np.searchsorted(ordered, ordered, side="left")
    places = np.empty(len(labels), np.int64)
    places[order] = np.arange(len(labels)) - starts
    return places
