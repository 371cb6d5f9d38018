"""Paints a face into a plain scene: backdrop, shoulders, neck, hair, light. No photograph in it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from training.data.crops import CROP_SIZE
from training.foundation.arrays import ByteImage, FloatArray
from training.synthesis.parents import FACE_CENTRE, FACE_RADII, face_ellipse

SCENE_SIZES = ((640, 480), (800, 600), (960, 720), (1280, 720))
_HAIR = ((38, 28, 24), (60, 42, 30), (92, 66, 44), (120, 116, 112), (150, 116, 70), (24, 22, 24))


@dataclass(frozen=True)
class Placement:
    """Where the 128 px crop goes: ``matrix`` is 2 x 3 from crop to scene, ``angle`` in radians."""

    matrix: FloatArray
    scale: float
    angle: float

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Return scene pixels of crop pixels."""
        moved = self.matrix @ np.array([x, y, 1.0])
        return float(moved[0]), float(moved[1])


def hair_of(blends: ByteImage) -> FloatArray:
    """Return the hair colour, RGB, nearest to what is above the brow in one person's blends."""
    above = blends[:, 6:22, 44:84].reshape(-1, 3).mean(axis=0)
    colours = np.array(_HAIR, dtype=np.float64)
    return np.asarray(colours[np.argmin(np.linalg.norm(colours - above, axis=1))])


def paint_scene(face: ByteImage, hair: FloatArray, rng: np.random.Generator) -> ByteImage:
    """Return a scene ``(H, W, 3)`` with ``face`` ``(128, 128, 3)`` at a random place and size."""
    width, height = SCENE_SIZES[rng.integers(len(SCENE_SIZES))]
    placement = _draw_placement(width, height, rng)
    scene = _backdrop(width, height, rng)
    skin = _skin_of(face)
    _paint_body(scene, placement, skin, hair, rng)
    _paste(scene, face, placement)
    return _lit(scene, rng)


def _draw_placement(width: int, height: int, rng: np.random.Generator) -> Placement:
    scale = rng.uniform(1.6, min(3.0, 0.72 * height / CROP_SIZE))
    angle = float(np.radians(rng.uniform(-9, 9)))
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = np.array([width * rng.uniform(0.32, 0.68), height * rng.uniform(0.42, 0.5)])
    shift = middle - turn @ np.array(FACE_CENTRE)
    return Placement(np.hstack([turn, shift[:, None]]), float(scale), angle)


def _backdrop(width: int, height: int, rng: np.random.Generator) -> FloatArray:
    rows, columns = np.mgrid[:height, :width]
    direction = rng.uniform(0, 2 * np.pi)
    along = np.cos(direction) * columns / width + np.sin(direction) * rows / height
    share = ((along - along.min()) / np.ptp(along))[:, :, None]
    grey = rng.uniform(90, 215)
    first, second = grey + rng.normal(0, 14, 3), grey + rng.uniform(-50, 50) + rng.normal(0, 14, 3)
    return np.asarray(first * (1 - share) + second * share, dtype=np.float64)


def _skin_of(face: ByteImage) -> FloatArray:
    """Return the colour of the cheeks."""
    cheeks = np.concatenate([face[74:92, 34:46].reshape(-1, 3), face[74:92, 82:94].reshape(-1, 3)])
    return np.asarray(np.median(cheeks, axis=0), dtype=np.float64)


def _paint_body(
    scene: FloatArray,
    placement: Placement,
    skin: FloatArray,
    hair: FloatArray,
    rng: np.random.Generator,
) -> None:
    x, y = FACE_CENTRE
    across, down = FACE_RADII
    clothes = rng.uniform(40, 150) + rng.normal(0, 25, 3)
    _ellipse(scene, placement, (x, y - 0.10 * down), (1.20 * across, 1.16 * down), hair, 5.0)
    _ellipse(scene, placement, (x, y + 1.05 * down), (0.52 * across, 0.75 * down), 0.82 * skin, 4.0)
    _ellipse(scene, placement, (x, y + 2.75 * down), (2.5 * across, 1.35 * down), clothes, 2.0)
    _ellipse(scene, placement, (x, y), (1.0 * across, 1.0 * down), skin, 5.0)


def _ellipse(
    scene: FloatArray,
    placement: Placement,
    centre: tuple[float, float],
    radii: tuple[float, float],
    colour: FloatArray,
    feather: float,
) -> None:
    """Paint a soft ellipse; centre, radii and feather are in pixels of the crop."""
    rows, columns = np.mgrid[: scene.shape[0], : scene.shape[1]]
    middle = placement.place(*centre)
    cosine, sine = np.cos(placement.angle), np.sin(placement.angle)
    right = ((columns - middle[0]) * cosine + (rows - middle[1]) * sine) / placement.scale
    down = ((rows - middle[1]) * cosine - (columns - middle[0]) * sine) / placement.scale
    beyond = (np.hypot(right / radii[0], down / radii[1]) - 1) * min(radii)
    cover = np.clip(0.5 - beyond / feather, 0, 1)[:, :, None]
    scene += (colour - scene) * cover


def _paste(scene: FloatArray, face: ByteImage, placement: Placement) -> None:
    cover = np.clip((1.03 - face_ellipse()) / 0.15, 0, 1)
    size = (scene.shape[1], scene.shape[0])
    grown = cv2.warpAffine(face.astype(np.float64), placement.matrix, size, flags=cv2.INTER_CUBIC)
    mask = cv2.warpAffine(cover, placement.matrix, size, flags=cv2.INTER_LINEAR)[:, :, None]
    scene += (grown - scene) * mask


def _lit(scene: FloatArray, rng: np.random.Generator) -> ByteImage:
    """Return the scene under uneven light of some colour, as bytes."""
    height, width = scene.shape[:2]
    rows, columns = np.mgrid[:height, :width]
    direction, strength = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.25)
    slope = np.cos(direction) * (columns / width - 0.5) + np.sin(direction) * (rows / height - 0.5)
    colour = 1 + rng.normal(0, 0.025, 3)
    bright = scene * (1 + strength * slope)[:, :, None] * colour * rng.uniform(0.85, 1.1)
    lit: ByteImage = np.clip(np.round(bright), 0, 255).astype(np.uint8)
    return lit
