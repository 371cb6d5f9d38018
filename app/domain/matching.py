"""How a face compares with the gallery, before anything is decided."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class RankedEmployee:
    """An employee at a similarity. ``photo_count`` is how many photos the centroid stands for."""

    employee_key: int
    similarity: float
    closest_photo_similarity: float
    photo_count: int


@dataclass(frozen=True)
class GallerySimilarities:
    """One probe against the whole gallery: parallel arrays ``(N,)``, in no particular order."""

    employee_keys: npt.NDArray[np.int64]
    similarities: npt.NDArray[np.float32]
    photo_counts: npt.NDArray[np.int64]
