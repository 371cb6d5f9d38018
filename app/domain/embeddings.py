"""Embeddings: points on the unit sphere, checked once, then trusted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

#: A unit vector, float32 ``(D,)``, made by ``as_embedding`` or ``centroid`` only.
Embedding = npt.NDArray[np.float32]

UNIT_TOLERANCE = 1e-3


def as_embedding(vector: npt.ArrayLike) -> Embedding:
    """Return ``vector`` as an embedding, renormalised to float32 precision.

    Raises ``ValueError`` where it is not a finite vector of unit length (within 1e-3).
    """
    array = np.asarray(vector, dtype=np.float32)
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"an embedding is a vector, not of shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError("an embedding holds finite numbers only")
    length = float(np.linalg.norm(array.astype(np.float64)))
    if abs(length - 1.0) > UNIT_TOLERANCE:
        raise ValueError(f"an embedding has unit length, not {length:.4f}")
    unit = (array / length).astype(np.float32)
    unit.setflags(write=False)
    return unit


def centroid(embeddings: Sequence[Embedding]) -> Embedding:
    """Return the mean direction of one person's photos, weighted alike.

    Weights by quality, trimmed means, medians and the nearest photo were no better on validation
    people once wrong photos were kept out (docs/trust.md).

    Raises ``ValueError`` for no embedding, or where they cancel out.
    """
    if not embeddings:
        raise ValueError("a centroid needs at least one embedding")
    mean = np.mean(np.stack(embeddings).astype(np.float64), axis=0)
    length = float(np.linalg.norm(mean))
    if length < 1e-6:
        raise ValueError("the embeddings cancel out: they have no common direction")
    return as_embedding(mean / length)


def similarity(first: Embedding, second: Embedding) -> float:
    """Return the cosine of two embeddings, -1 to 1; higher is closer."""
    return float(np.clip(np.dot(first.astype(np.float64), second.astype(np.float64)), -1.0, 1.0))
