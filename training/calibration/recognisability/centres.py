"""The centres of the unrecognisable: spherical k-means on embeddings of odd renderings."""

from __future__ import annotations

import numpy as np

from app.domain.embeddings import directions
from training.foundation.arrays import Matrix

_ROUNDS = 100


def fit_centres(rows: Matrix, count: int, seed: int = 0) -> Matrix:
    """Return ``count`` unit rows ``(K, D)`` that lie among the unit rows ``(N, D)``.

    Spherical k-means (Dhillon and Modha, 2001): each row belongs to the centre of the highest
    cosine, each centre is the mean direction of its rows; a centre without rows takes the row that
    is farthest from all. Raises ``ValueError`` for fewer rows than centres.
    """
    if not 1 <= count <= len(rows):
        raise ValueError(f"{count} centres need at least as many rows, not {len(rows)}")
    start = np.random.default_rng(seed).choice(len(rows), count, replace=False)
    centres = rows[start].astype(np.float64)
    owners = np.full(len(rows), -1)
    for _ in range(_ROUNDS):
        cosines = rows @ centres.T
        nearest = cosines.argmax(axis=1)
        if (nearest == owners).all():
            break
        owners = nearest
        for position in range(count):
            own = rows[owners == position]
            total = own.sum(axis=0) if len(own) else rows[cosines.max(axis=1).argmin()]
            centres[position] = directions(total)
    return np.asarray(centres, dtype=np.float32)


def distances(rows: Matrix, centres: Matrix) -> Matrix:
    """Return each row's recognisability, ``(N,)``, as ``app.domain.recognisability`` defines it."""
    return np.asarray(np.clip(1.0 - (rows @ centres.T).max(axis=1), 0.0, 1.0), dtype=np.float32)
