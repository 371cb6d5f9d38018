"""Cuts a face from a picture onto the ArcFace template; serving and training both use this."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from app.domain.alignment import (
    ARCFACE_TEMPLATE,
    FACE_CROP_SIZE,
    FloatArray,
    similarity_transform,
)
from app.domain.faces import Picture

#: Below this scale bilinear sampling skips source pixels, so the picture is averaged first.
_ALIASING_SCALE = 0.5
#: Rows and columns of the points that measure how much of a crop the picture holds.
_GRID = 28


def align_face(
    picture: Picture,
    landmarks: npt.ArrayLike,
    *,
    size: int = FACE_CROP_SIZE,
    margin: float = 0.0,
) -> npt.NDArray[np.uint8]:
    """Return the aligned face: uint8 RGB ``(3, S, S)``.

    ``landmarks`` are ``(5, 2)`` in pixels of ``picture``, in the template's order. ``size`` is the
    side of the ArcFace crop, to which ``margin`` pixels (of a 112 px crop) are added all round: 112
    and 8 give the 128 px crops that training stores. Beyond the picture its border is repeated.
    Raises ``ValueError`` where the landmarks coincide.
    """
    transform = crop_transform(landmarks, size=size, margin=margin)
    crop = warp(picture, transform, crop_side(size, margin))
    return np.ascontiguousarray(crop.transpose(2, 0, 1))


def warp(picture: Picture, transform: FloatArray, side: int) -> Picture:
    """Return ``(side, side, 3)`` of ``picture`` under a 2 x 3 similarity, free of aliasing."""
    source, transform = _without_aliasing(picture, transform, side)
    warped = cv2.warpAffine(
        source,
        transform,
        (side, side),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return warped.astype(np.uint8, copy=False)


def inside_share(shape: tuple[int, ...], landmarks: npt.ArrayLike) -> float:
    """Return how much of the aligned crop lies within a picture of ``shape`` (H, W, ...), 0 to 1.

    Raises ``ValueError`` where the landmarks coincide.
    """
    transform = crop_transform(landmarks)
    back = np.linalg.inv(transform[:, :2]).T
    height, width = shape[:2]

    def inside(steps: int) -> float:
        first = FACE_CROP_SIZE / _GRID / 2 - 0.5
        along = np.linspace(first, FACE_CROP_SIZE - 1 - first, steps)
        places = np.stack(np.meshgrid(along, along), axis=-1).reshape(-1, 2)
        sources = (places - transform[:, 2]) @ back + 0.5
        return float(((sources >= 0) & (sources <= [width, height])).all(axis=1).mean())

    # A rectangle that holds the corners of a square holds all of it: so with most faces.
    return 1.0 if inside(2) == 1.0 else inside(_GRID)


def crop_side(size: int, margin: float) -> int:
    """Return the side in pixels of a crop with its margin."""
    return round(size * (1 + 2 * margin / FACE_CROP_SIZE))


def crop_transform(
    landmarks: npt.ArrayLike, *, size: int = FACE_CROP_SIZE, margin: float = 0.0
) -> FloatArray:
    """Return the 2 x 3 matrix from picture pixels to crop pixels."""
    points = np.asarray(landmarks, dtype=np.float64)
    if points.shape != ARCFACE_TEMPLATE.shape:
        raise ValueError(f"five landmarks are needed, not an array of shape {points.shape}")
    # Pixel centres count from 0, so another size scales about the corner of the corner pixel.
    target = (ARCFACE_TEMPLATE + 0.5 + margin) * (size / FACE_CROP_SIZE) - 0.5
    return similarity_transform(points, target)


def _without_aliasing(
    picture: Picture, transform: FloatArray, side: int
) -> tuple[Picture, FloatArray]:
    """Return what ``warpAffine`` must be given so that a large face is averaged, not skipped over.

    Only the region that the crop covers is reduced, by a whole factor, so that the cost does not
    depend on the rest of the picture.
    """
    scale = float(np.hypot(transform[0, 0], transform[1, 0]))
    factor = int(1 / scale)
    if scale >= _ALIASING_SCALE or factor < 2:
        return picture, transform
    left, top, right, bottom = _covered(picture, transform, side, factor)
    if right - left < factor or bottom - top < factor:
        return picture, transform
    width, height = (right - left) // factor, (bottom - top) // factor
    region = picture[top : top + height * factor, left : left + width * factor]
    reduced = cv2.resize(region, (width, height), interpolation=cv2.INTER_AREA)
    linear = transform[:, :2]
    # The reduced pixel p has its centre at factor * (p + 0.5) - 0.5 of the region.
    shift = linear @ np.array([left + (factor - 1) / 2, top + (factor - 1) / 2]) + transform[:, 2]
    return reduced.astype(np.uint8, copy=False), np.hstack([linear * factor, shift[:, None]])


def _covered(
    picture: Picture, transform: FloatArray, side: int, factor: int
) -> tuple[int, int, int, int]:
    """Return left, top, right, bottom of the part of ``picture`` under the crop, clipped to it."""
    corners = np.array([[0, 0], [side, 0], [0, side], [side, side]], dtype=np.float64) - 0.5
    sources = np.linalg.solve(transform[:, :2], (corners - transform[:, 2]).T).T
    height, width = picture.shape[:2]
    low = np.floor(sources.min(axis=0)) - 2 * factor
    high = np.ceil(sources.max(axis=0)) + 2 * factor
    left, top = np.clip(low, 0, [width, height]).astype(int)
    right, bottom = np.clip(high, 0, [width, height]).astype(int)
    return int(left), int(top), int(right), int(bottom)
