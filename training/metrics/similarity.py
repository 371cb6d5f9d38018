"""What one number each says of embeddings: how well they find and how well they separate."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from torch import Tensor

from training.foundation.arrays import FloatArray
from training.foundation.errors import DataError
from training.metrics.embedding_table import EmbeddingTable
from training.metrics.estimates import Estimate
from training.metrics.intervals import bootstrap_mean
from training.metrics.pairs import same_and_different
from training.metrics.retrieval import RECALL_AT, QueryScores, score_leave_one_out
from training.metrics.separation import Spread, measure_spread, separation_of
from training.metrics.table_parts import known_part
from training.metrics.verification import area_under_curve, equal_error_rate

#: The measures of which less is better.
ERRORS = frozenset({"EER"})


def measure_similarity(embeddings: Tensor, labels: Tensor) -> dict[str, float]:
    """Return R@1, R@5, R@10, mAP@10, MAP@R (Musgrave et al., ECCV 2020), AUC and EER of all pairs.

    ``embeddings`` are unit vectors ``(N, D)``; every image asks all the others. Raises
    ``DataError`` where no identity has two images.
    """
    table = nameless_table(embeddings, labels)
    same, _, different = same_and_different(table.embeddings, table.labels)
    return {
        **{
            name: float(values.mean())
            for name, values in _of_queries(score_leave_one_out(table)).items()
        },
        "AUC": area_under_curve(same, different),
        "EER": equal_error_rate(same, different),
    }


def similarity_intervals(runs: Sequence[tuple[Tensor, Tensor]]) -> dict[str, Estimate]:
    """Return the figures of ``measure_similarity``, the mean over ``runs``, with 95 % intervals.

    ``runs`` are embeddings of the same images by networks of several seeds, with the identities;
    identities are resampled, the same ones of every run.
    """
    tables = [nameless_table(*run) for run in runs]
    scores = [score_leave_one_out(table) for table in tables]
    queries = [_of_queries(one) for one in scores]
    labels = scores[0].labels
    found = {
        name: bootstrap_mean(np.mean([one[name] for one in queries], axis=0), labels)
        for name in queries[0]
    }
    return found | separation_of([(table.embeddings, table.labels) for table in tables])


def _of_queries(scores: QueryScores) -> dict[str, FloatArray]:
    """Return each measure's value for every query, ``(Q,)``."""
    hits = scores.hits.astype(np.float64)
    return {
        **{f"R@{k}": hits[:, column] for column, k in enumerate(RECALL_AT)},
        "mAP@10": scores.map_at_10,
        "MAP@R": scores.map_at_r,
    }


def spread_of(embeddings: Tensor, labels: Tensor) -> Spread:
    """Return where the cosines of all pairs of known identities lie, and whether all are one."""
    table = known_part(nameless_table(embeddings, labels))
    same, _, different = same_and_different(table.embeddings, table.labels)
    return measure_spread(same, different)


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
