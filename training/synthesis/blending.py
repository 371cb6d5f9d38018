"""Blends faces: each is bent onto common landmarks first, so that nothing shows twice."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from scipy.interpolate import RBFInterpolator

from training.data.crops import CROP_SIZE
from training.foundation.arrays import ByteImage, FloatArray
from training.synthesis.parents import FACE_CENTRE, FACE_RADII, face_ellipse

_CONTOUR_ANGLES = np.linspace(0, 2 * np.pi, 12, endpoint=False)
_CONTOUR = np.stack(
    [
        FACE_CENTRE[0] + FACE_RADII[0] * np.cos(_CONTOUR_ANGLES),
        FACE_CENTRE[1] + FACE_RADII[1] * np.sin(_CONTOUR_ANGLES),
    ],
    axis=1,
)
_FRAME = np.array(
    [[x, y] for x in (0, 64, 127) for y in (0, 64, 127) if (x, y) != (64, 64)], dtype=np.float64
)


def draw_shape(rng: np.random.Generator, pixels: float) -> FloatArray:
    """Return how one new person's features differ from the blend's: ``(5 + 12, 2)`` pixels.

    Symmetric, and the same in all photos of the person: how wide the eyes, nose, mouth and jaw
    stand and how long the parts between them are. It takes the person further from both parents.
    """
    eyes, mouth, nose_down, mouth_down = _moderate(rng, pixels, 4)
    features = np.array(
        [[-eyes, 0], [eyes, 0], [0, nose_down], [-mouth, mouth_down], [mouth, mouth_down]]
    )
    cheeks, jaw, chin = _moderate(rng, pixels, 3)
    across, down = np.cos(_CONTOUR_ANGLES), np.sin(_CONTOUR_ANGLES)
    widening = cheeks * across + jaw * across * np.clip(down, 0, 1)
    contour = np.stack([widening, chin * np.clip(down, 0, 1)], axis=1)
    return np.vstack([features / 2, contour])


def _moderate(rng: np.random.Generator, pixels: float, count: int) -> FloatArray:
    """Return normal numbers without their tails: beyond those a face looks drawn."""
    return np.clip(rng.normal(0, pixels, count), -1.5 * pixels, 1.5 * pixels)


def blend_faces(
    crops: Sequence[ByteImage], landmarks: Sequence[FloatArray], shape: FloatArray
) -> ByteImage:
    """Return the blend ``(128, 128, 3)`` of aligned crops on the mean of their landmarks.

    ``shape`` from ``draw_shape`` is added to the mean. Colours meet in the middle too, so that no
    parent's light leaves an edge.
    """
    target = np.vstack([np.mean(landmarks, axis=0), _CONTOUR])
    moved = np.vstack([target + shape, _FRAME])
    layers = []
    for crop, points in zip(crops, landmarks, strict=True):
        source = np.vstack([points, _CONTOUR, _FRAME])
        layers.append(_bent(crop, source, moved))
    return _sharpened(np.mean(_toned(layers), axis=0))


def draw_together(photos: Sequence[ByteImage], share: float) -> list[ByteImage]:
    """Return one person's blends with ``share`` of their common mean in each.

    Parents differ from photo to photo in age, make-up and light more than one person does in a
    week; the mean carries what the new person's photos have in common.
    """
    common = np.mean(np.stack(photos), axis=0)
    drawn = []
    for photo in photos:
        toned = _toned([photo.astype(np.float64), common], like_first=True)
        drawn.append(_sharpened((1 - share) * toned[0] + share * toned[1]))
    return drawn


def _sharpened(mean: FloatArray) -> ByteImage:
    """Return the mean of several photos, which is softer than each of them, as sharp as one."""
    soft = cv2.GaussianBlur(mean, (0, 0), 1.2)
    return np.clip(np.round(mean + 0.5 * (mean - soft)), 0, 255).astype(np.uint8)


def _bent(crop: ByteImage, source: FloatArray, target: FloatArray) -> FloatArray:
    """Return the crop with the points ``source`` moved to ``target`` by a thin-plate spline."""
    rows, columns = np.mgrid[:CROP_SIZE, :CROP_SIZE]
    places = np.stack([columns.ravel(), rows.ravel()], axis=1).astype(np.float64)
    spline = RBFInterpolator(target, source, kernel="thin_plate_spline", smoothing=0.5)
    taken = np.asarray(spline(places), dtype=np.float32).reshape(CROP_SIZE, CROP_SIZE, 2)
    bent = cv2.remap(
        crop, taken[:, :, 0], taken[:, :, 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(bent, dtype=np.float64)


def _toned(layers: list[FloatArray], like_first: bool = False) -> list[FloatArray]:
    """Return the layers with the mean and spread of each colour inside the face made alike."""
    inside = face_ellipse(0.85) < 1
    means = [layer[inside].mean(axis=0) for layer in layers]
    spreads = [layer[inside].std(axis=0) + 1e-6 for layer in layers]
    models = slice(0, 1) if like_first else slice(None)
    mean, spread = np.mean(means[models], axis=0), np.mean(spreads[models], axis=0)
    return [
        (layer - own_mean) * (spread / own_spread) + mean
        for layer, own_mean, own_spread in zip(layers, means, spreads, strict=True)
    ]
