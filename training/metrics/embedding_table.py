"""Embeddings with what they are of: what retrieval, pictures and search work on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.foundation.arrays import IntArray, Matrix


@dataclass(frozen=True)
class EmbeddingTable:
    """Unit embeddings, float32 ``(N, D)``, with the key and the identity's number of each.

    ``labels`` is ``(N,)`` with -1 where the identity is unknown; ``label_names`` names the numbers.
    ``sources`` names the data set of each row, or is empty where there is one.
    """

    embeddings: Matrix
    labels: IntArray
    keys: tuple[str, ...]
    label_names: tuple[str, ...]
    sources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raise ``ValueError`` where the parts do not fit or a row is not a unit vector."""
        count = len(self.keys)
        if self.embeddings.ndim != 2 or not len(self.embeddings) == len(self.labels) == count:
            raise ValueError("embeddings, labels and keys must be as many")
        if self.sources and len(self.sources) != count:
            raise ValueError("sources are of every row or of none")
        if count and (self.labels.min() < -1 or self.labels.max() >= len(self.label_names)):
            raise ValueError("a label has no name")
        lengths = np.linalg.norm(self.embeddings, axis=1)
        if not np.allclose(lengths, 1.0, atol=1e-3):
            raise ValueError("embeddings must be finite unit vectors")

    def __len__(self) -> int:
        return len(self.keys)
