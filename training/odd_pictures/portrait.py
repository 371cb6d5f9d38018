"""A picture whose five landmarks are known, and the geometry of a face in pixels of its crop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.domain.alignment import ARCFACE_TEMPLATE, similarity_transform
from app.domain.faces import Picture
from training.foundation.arrays import FloatArray


@dataclass(frozen=True)
class Portrait:
    """An upright picture of one person, uint8 RGB ``(H, W, 3)``; ``landmarks`` ``(5, 2)`` in it."""

    picture: Picture
    landmarks: FloatArray

    @property
    def pixel(self) -> float:
        """How many pixels of the picture one pixel of the aligned 112 px crop is."""
        return float(np.linalg.norm(self._from_crop[:, 0]))

    @property
    def centre(self) -> FloatArray:
        """The middle of the face, ``(2,)``: of the aligned crop's five landmarks."""
        return np.asarray(self.landmarks.mean(axis=0), dtype=np.float64)

    def place(self, points: npt.ArrayLike) -> FloatArray:
        """Return where points ``(N, 2)`` of the aligned crop lie in the picture."""
        transform = self._from_crop
        moved = np.asarray(points, dtype=np.float64) @ transform[:, :2].T + transform[:, 2]
        return np.asarray(moved, dtype=np.float64)

    @property
    def _from_crop(self) -> FloatArray:
        return similarity_transform(ARCFACE_TEMPLATE, self.landmarks)


#: Makes an odd picture of a portrait; the same generator state gives the same picture.
Rendering = Callable[[Portrait, np.random.Generator], Picture]


def as_picture(values: npt.NDArray[np.generic]) -> Picture:
    """Return values of 0 to 255, beyond which they are clipped, as a picture."""
    if values.dtype == np.uint8:
        return np.ascontiguousarray(values, dtype=np.uint8)
    return np.ascontiguousarray(np.clip(np.rint(np.asarray(values, float)), 0, 255), dtype=np.uint8)
