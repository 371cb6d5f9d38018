"""Made embedding tables: unit vectors around a direction for each identity."""

from __future__ import annotations

import numpy as np

from training.metrics.embedding_table import EmbeddingTable

DIM = 16


def made_table(
    photos: list[int], noise: float = 0.6, seed: int = 0, name: str = "p", unknown: int = 0
) -> EmbeddingTable:
    """Return a table of identities with so many images each, and ``unknown`` rows of nobody."""
    random = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(photos)), photos)
    directions = random.normal(size=(len(photos), DIM))
    rows = directions[labels] + noise * random.normal(size=(len(labels), DIM))
    rows = np.concatenate([rows, random.normal(size=(unknown, DIM))])
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    labels = np.concatenate([labels, np.full(unknown, -1)]).astype(np.int64)
    order = random.permutation(len(labels))
    return EmbeddingTable(
        rows[order].astype(np.float32),
        labels[order],
        tuple(f"{name}/{row:04d}.png" for row in order),
        tuple(f"{name}{number:03d}" for number in range(len(photos))),
    )
