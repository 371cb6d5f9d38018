"""A picture whose five landmarks are known, and the geometry of a face in pixels of its crop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import numpy.typing as npt

from app.domain.alignment import ARCFACE_TEMPLATE, similarity_transform
from app.domain.faces import Picture
from training.data.crops import CROP_MARGIN
from training.foundation.arrays import FloatArray

#: The side of the photo that a crop is put on, and how much larger the crop is there.
_CANVAS, _SCALE = 320, 1.5


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

    @cached_property
    def _from_crop(self) -> FloatArray:
        return similarity_transform(ARCFACE_TEMPLATE, self.landmarks)


#: Makes an odd picture of a portrait; the same generator state gives the same picture.
Rendering = Callable[[Portrait, np.random.Generator], Picture]


def remapped(
    picture: Picture, across: npt.NDArray[np.floating], down: npt.NDArray[np.floating]
) -> Picture:
    """Return a picture whose pixels are taken from columns ``across`` and rows ``down``.

    Both are ``(H, W)``; beyond the picture its border is repeated.
    """
    moved = cv2.remap(
        picture,
        across.astype(np.float32),
        down.astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return as_picture(moved)


def as_picture(values: npt.NDArray[np.generic]) -> Picture:
    """Return values of 0 to 255, beyond which they are clipped, as a picture."""
    if values.dtype == np.uint8:
        return np.ascontiguousarray(values, dtype=np.uint8)
    return np.ascontiguousarray(np.clip(np.rint(np.asarray(values, float)), 0, 255), dtype=np.uint8)


def on_canvas(crop: Picture) -> Portrait:
    """Return a stored crop ``(128, 128, 3)`` as a photo: larger, on what blurred continues it."""
    side = round(crop.shape[0] * _SCALE)
    large = as_picture(cv2.resize(crop, (side, side), interpolation=cv2.INTER_CUBIC))
    edge = (_CANVAS - side) // 2
    reach = (edge, _CANVAS - side - edge) * 2
    wide = cv2.copyMakeBorder(large, *reach, borderType=cv2.BORDER_REPLICATE)
    behind = cv2.GaussianBlur(wide, (0, 0), 12)
    inside = np.zeros((_CANVAS, _CANVAS), np.float64)
    inside[edge + 6 : edge + side - 6, edge + 6 : edge + side - 6] = 1.0
    share = np.asarray(cv2.GaussianBlur(inside, (0, 0), 3.0), dtype=np.float64)[..., None]
    landmarks = (ARCFACE_TEMPLATE + CROP_MARGIN + 0.5) * _SCALE - 0.5 + edge
    return Portrait(as_picture(wide * share + behind * (1 - share)), landmarks)
