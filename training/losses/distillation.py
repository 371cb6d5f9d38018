"""Distillation: be where the teachers put a face, and keep the distances they keep."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def cosine_distillation(predicted: Tensor, target: Tensor) -> Tensor:
    """Return the mean of 1 - cosine between ``predicted`` and ``target``, both ``(N, D)``."""
    return (1 - F.cosine_similarity(predicted, target, dim=1)).mean()


def similarity_distillation(embeddings: Tensor, target_similarities: Tensor) -> Tensor:
    """Return the mean squared error of the batch's cosine matrix, its diagonal left out.

    ``embeddings`` is ``(N, D)`` of any length, ``target_similarities`` ``(N, N)``. Similarity-
    preserving distillation (Tung and Mori, ICCV 2019) on cosines. A batch of one gives zero.
    """
    count = len(embeddings)
    unit = F.normalize(embeddings, dim=1)
    error = (unit @ unit.T - target_similarities).square()
    off_diagonal = error.sum() - error.diagonal().sum()
    return off_diagonal / max(1, count * (count - 1))
