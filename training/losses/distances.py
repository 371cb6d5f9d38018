"""How far two embeddings are: the measures that losses and miners share."""

from __future__ import annotations

from typing import Literal

import torch
from pytorch_metric_learning.distances import BaseDistance, CosineSimilarity, LpDistance
from pytorch_metric_learning.reducers import AvgNonZeroReducer, BaseReducer, MeanReducer
from torch import Tensor


class ExactEuclidean(LpDistance):  # type: ignore[misc]
    """Euclidean distances by differences.

    ``torch.cdist`` takes a shortcut through a matrix product for more than 25 rows: fast, but two
    equal rows come out 1e-3 apart, and the nearest pairs are the ones that a miner chooses among.
    """

    def compute_mat(self, query_emb: Tensor, ref_emb: Tensor) -> Tensor:
        """Return distances ``(N, M)`` of ``(N, D)`` and ``(M, D)``."""
        return torch.cdist(query_emb, ref_emb, compute_mode="donot_use_mm_for_euclid_dist")


def make_distance(
    name: Literal["euclidean", "squared-euclidean", "cosine"], *, unit: bool = True
) -> BaseDistance:
    """Return a measure; ``unit`` brings embeddings to length 1 first, as the cosine always does."""
    if name == "cosine":
        return CosineSimilarity()
    power = 2 if name == "squared-euclidean" else 1
    return ExactEuclidean(normalize_embeddings=unit, power=power)


def make_average(name: Literal["all", "active"]) -> BaseReducer:
    """Return the mean over all terms, or over those that are not zero."""
    return MeanReducer() if name == "all" else AvgNonZeroReducer()
