"""Embeddings: points on the unit sphere, checked once, then trusted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

#: A unit vector, float32 ``(D,)``, made by ``as_embedding`` or ``centroid`` only.
Embedding = npt.NDArray[np.float32]

UNIT_TOLERANCE = 1e-3
_MIN_LENGTH = 1e-6


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


def directions(sums: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Return unit rows in the direction of ``sums`` ``(..., D)``; zeros where there is none.

    A sum or mean shorter than 1e-6 has no direction: its embeddings cancel out, or nothing counts.
    """
    wide = np.asarray(sums, np.float64)
    lengths = np.linalg.norm(wide, axis=-1, keepdims=True)
    return np.where(lengths < _MIN_LENGTH, 0.0, wide / np.maximum(lengths, _MIN_LENGTH))


def mean_directions(
    embeddings: npt.NDArray[np.floating], weights: npt.NDArray[np.floating] | None = None
) -> npt.NDArray[np.float32]:
    """Return the mean direction ``(..., D)`` of each set of embeddings ``(..., K, D)``.

    ``weights`` ``(..., K)``, at least 0, say how much each counts; without them all count alike.
    Sums are taken in float64. Zeros where nothing counts or the embeddings cancel out.
    """
    if weights is None:
        means = embeddings.mean(axis=-2, dtype=np.float64)
    else:
        totals = np.asarray(weights, np.float64).sum(axis=-1, keepdims=True)
        shares = np.divide(weights, totals, out=np.zeros(np.shape(weights)), where=totals > 0)
        means = np.einsum("...kd,...k->...d", embeddings, shares)
    return directions(means).astype(np.float32)


def centroid(embeddings: Sequence[Embedding], weights: Sequence[float] | None = None) -> Embedding:
    """Return the mean direction of one person's photos, or of frames, each by its weight.

    Photos weigh alike: weights by quality, trimmed means, medians and the nearest photo were no
    better on validation people once wrong photos were kept out (docs/trust.md).

    Raises ``ValueError`` for no embedding, where there is not one positive, finite weight for each,
    and where they cancel out.
    """
    if len(embeddings) == 0:
        raise ValueError("a centroid needs at least one embedding")
    shares = None if weights is None else np.asarray(weights, np.float64)
    if shares is not None:
        if shares.shape != (len(embeddings),):
            raise ValueError("a centroid needs one weight for each embedding")
        if not (np.isfinite(shares).all() and (shares > 0).all()):
            raise ValueError("weights of embeddings are positive and finite")
    mean = mean_directions(np.stack(embeddings), shares)
    if not mean.any():
        raise ValueError("the embeddings cancel out: they have no common direction")
    return as_embedding(mean)


def similarity(first: Embedding, second: Embedding) -> float:
    """Return the cosine of two embeddings, -1 to 1; higher is closer."""
    return float(np.clip(np.dot(first.astype(np.float64), second.astype(np.float64)), -1.0, 1.0))
