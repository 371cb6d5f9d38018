"""What one number each says of embeddings: how well they find and how well they separate."""

from __future__ import annotations

import math

from torch import Tensor

from training.foundation.errors import DataError
from training.metrics.embedding_table import EmbeddingTable
from training.metrics.pairs import same_and_different
from training.metrics.retrieval import RECALL_AT, score_leave_one_out
from training.metrics.verification import area_under_curve


def measure_similarity(embeddings: Tensor, labels: Tensor) -> dict[str, float]:
    """Return R@1, R@5, R@10, MAP@R (Musgrave et al., ECCV 2020) and the AUC of all pairs.

    ``embeddings`` are unit vectors ``(N, D)``; every image asks all the others. Raises
    ``DataError`` where no identity has two images.
    """
    table = nameless_table(embeddings, labels)
    scores = score_leave_one_out(table)
    same, _, different = same_and_different(table.embeddings, table.labels)
    return {
        **{f"R@{k}": float(scores.hits[:, column].mean()) for column, k in enumerate(RECALL_AT)},
        "MAP@R": float(scores.map_at_r.mean()),
        "AUC": area_under_curve(same.astype(float), different.astype(float)),
    }


def recall_at_one(embeddings: Tensor, labels: Tensor) -> float:
    """Return R@1, which says during a run whether it still gets better; ``nan`` where none asks."""
    try:
        scores = score_leave_one_out(nameless_table(embeddings, labels))
    except DataError:
        return math.nan
    return float(scores.hits[:, 0].mean())


def nameless_table(embeddings: Tensor, labels: Tensor) -> EmbeddingTable:
    """Return a table whose identities are called by their numbers and images by their rows."""
    names = tuple(map(str, range(int(labels.max()) + 1)))
    keys = tuple(map(str, range(len(labels))))
    return EmbeddingTable(embeddings.numpy(), labels.numpy(), keys, names)
