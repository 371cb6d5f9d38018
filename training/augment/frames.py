"""Frames as a camera might have taken them in the second of one photo: moved, blurred, relit."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from app.domain.alignment import ARCFACE_TEMPLATE, FACE_CROP_SIZE
from app.domain.faces import Box, Detection
from app.domain.fusion import frame_weight
from app.vision.quality import measure_quality
from training.data.crops import CROP_MARGIN
from training.foundation.arrays import ByteImage, FloatArray
from training.foundation.errors import DataError

_LANDMARKS = tuple((float(x), float(y)) for x, y in ARCFACE_TEMPLATE)
_MIN_SCALE = 0.3


@dataclass(frozen=True)
class SimulatedFrames:
    """Aligned crops, uint8 ``(N, 3, 112, 112)``, and what each weighs in a fusion, ``(N,)``."""

    crops: ByteImage
    weights: FloatArray


def simulate_frames(stored: ByteImage, seed: int) -> SimulatedFrames:
    """Return one frame of each stored crop, uint8 ``(N, 3, 128, 128)``, with the weight it earns.

    Each frame has its own misalignment (what landmarks scatter), distance (a face of 34 to 112 px),
    motion blur, light and JPEG. The head itself does not move, nor does its expression: that is
    what frames of one scene have least of, so that the gain measured on these is a floor in that
    respect, and their noise is an assumption.
    """
    random = np.random.default_rng(seed)
    made = [_frame(crop.transpose(1, 2, 0), random) for crop in stored]
    return SimulatedFrames(
        np.stack([crop for crop, _ in made]), np.array([weight for _, weight in made])
    )


def _frame(picture: ByteImage, random: np.random.Generator) -> tuple[ByteImage, float]:
    """Return one frame ``(3, 112, 112)`` of a stored crop ``(128, 128, 3)``, and its weight."""
    middle = (picture.shape[0] - 1) / 2
    turn, zoom = random.normal(0, 1.5), random.normal(1.0, 0.015)
    motion = np.asarray(cv2.getRotationMatrix2D((middle, middle), turn, zoom), dtype=np.float64)
    motion[:, 2] += random.normal(0, 0.8, 2) - CROP_MARGIN
    side = (FACE_CROP_SIZE, FACE_CROP_SIZE)
    moved = cv2.warpAffine(picture, motion, side, borderMode=cv2.BORDER_REPLICATE)
    small = max(8, round(FACE_CROP_SIZE * random.uniform(_MIN_SCALE, 1.0)))
    reduced = cv2.resize(moved, (small, small), interpolation=cv2.INTER_AREA)
    smeared = cv2.filter2D(reduced, -1, _motion_kernel(small, random)).astype(np.float64)
    lit = random.uniform(0.6, 1.3) * smeared + random.uniform(-20, 20)
    noisy = np.clip(lit + random.normal(0, 3, lit.shape), 0, 255).astype(np.uint8)
    pressed = _as_jpeg(noisy, int(random.integers(40, 95)))
    enlarged = cv2.resize(pressed, side, interpolation=cv2.INTER_LINEAR)
    crop = np.ascontiguousarray(enlarged.transpose(2, 0, 1)).astype(np.uint8, copy=False)
    detection = Detection(Box(0.0, 0.0, float(small), float(small)), _LANDMARKS, 0.9)
    return crop, frame_weight(measure_quality(crop, detection))


def _motion_kernel(side: int, random: np.random.Generator) -> FloatArray:
    """Return the blur of a face that moved, while exposed, by up to a twelfth of its side."""
    length = int(random.integers(1, max(2, side // 12)))
    line = np.zeros((length, length))
    line[length // 2, :] = 1.0
    centre = ((length - 1) / 2, (length - 1) / 2)
    turned = cv2.warpAffine(
        line, cv2.getRotationMatrix2D(centre, random.uniform(0, 180), 1.0), (length, length)
    )
    kernel = np.asarray(turned, dtype=np.float64)
    shares: FloatArray = kernel / kernel.sum()
    return shares


def _as_jpeg(picture: ByteImage, quality: int) -> ByteImage:
    """Return a picture as JPEG gives it back; raises ``DataError`` where OpenCV cannot."""
    done, encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.imdecode(encoded, cv2.IMREAD_COLOR) if done else None
    if decoded is None:
        raise DataError("OpenCV cannot press a frame as JPEG")
    return decoded.astype(np.uint8, copy=False)
