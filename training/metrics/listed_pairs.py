"""Pairs that a data set lists for evaluation, as LFW's View 2, of whatever table holds them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.data.listed_pairs import ListedPairs
from training.metrics.embedding_table import EmbeddingTable
from training.metrics.results import Verification
from training.metrics.verification import verify_pairs


@dataclass(frozen=True)
class ListedPairResults:
    """The figures of listed pairs, ``None`` where too few are left; ``left_out`` lack an image."""

    name: str
    listed: int
    left_out: int
    figures: Verification | None


def evaluate_listed_pairs(listed: ListedPairs, table: EmbeddingTable) -> ListedPairResults:
    """Return the View 2 figures of the pairs whose images the table holds.

    Every fold is evaluated at the threshold that the other folds choose, so that two folds are
    needed, and pairs of either kind.
    """
    row_of = {key: row for row, key in enumerate(table.keys)}
    kept = [
        place
        for place, (one, other, _) in enumerate(listed.pairs)
        if one in row_of and other in row_of
    ]
    pairs, folds = [listed.pairs[place] for place in kept], listed.folds[kept]
    same = np.array([pair[2] for pair in pairs], np.bool_)
    figures = None
    if len(np.unique(folds)) > 1 and same.any() and not same.all():
        first = table.embeddings[[row_of[one] for one, _, _ in pairs]]
        second = table.embeddings[[row_of[other] for _, other, _ in pairs]]
        similarities = np.einsum("nd,nd->n", first, second, dtype=np.float64)
        rows = np.array([(row_of[one], row_of[other]) for one, other, _ in pairs], np.int64)
        figures = verify_pairs(similarities, same, folds, table.labels[rows])
    return ListedPairResults(listed.name, len(listed.pairs), len(listed.pairs) - len(kept), figures)
