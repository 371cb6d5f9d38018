"""Whole pictures instead of made landmarks: flat and bent photos, and heads, by the detector."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from app.domain.challenges import MOTION_LIMITS, Instruction, MotionLimits, require_motion
from app.domain.errors import LivenessFailedError
from app.domain.head_motion import HeadView
from app.vision.decode import DecodeLimits, decode_photo
from app.vision.detector import FaceDetector
from app.vision.quality import pose_degrees
from training.foundation.arrays import ByteImage
from training.foundation.errors import DataError
from training.metrics.intervals import clopper_pearson
from training.studies.liveness.head_warp import EYES_MM, turned_head
from training.studies.liveness.results import MotionCheck

Warp = Callable[[ByteImage, HeadView, float, np.random.Generator], ByteImage]

RADII_MM = (126, 76, 50, 32)
TURNS_DEGREES = (20.0, 60.0)
HEAD_TURNS_DEGREES = ((20.0, 30.0), (30.0, 45.0))  # beyond, a photo does not show enough of a head


def measure_pictures(
    detector: FaceDetector,
    folder: Path,
    bursts_each: int,
    seed: int,
    limits: MotionLimits = MOTION_LIMITS,
) -> tuple[MotionCheck, ...]:
    """Tilt and bend every photo below ``folder`` as a picture, and turn its head as a head.

    The detector finds the landmarks.

    Raises ``DataError`` where no photo shows a face.
    """
    photos = [decode_photo(f.read_bytes(), DecodeLimits()) for f in sorted(folder.rglob("*.jpg"))]
    found = [(photo, view) for photo in photos if (view := _look(detector, photo)) is not None]
    if not found:
        raise DataError(f"no face was found in the photos below {folder}")
    kinds: dict[str, Warp] = {"flat photo, tilted by 20 to 60 degrees": _tilted}
    for radius in RADII_MM:
        kinds[f"photo bent to a radius of {radius} mm, turned by 20 to 60 degrees"] = _bent(radius)
    attacks = [
        _tried(name, warp, TURNS_DEGREES, detector, found, bursts_each, seed + number, limits)
        for number, (name, warp) in enumerate(kinds.items())
    ]
    heads = [
        _tried(
            f"head of a photo, warped in 3-D, turned by {turns[0]:g} to {turns[1]:g} degrees",
            _as_a_head,
            turns,
            detector,
            found,
            bursts_each,
            seed + 100 + number,
            limits,
        ).model_copy(update={"attack": False})
        for number, turns in enumerate(HEAD_TURNS_DEGREES)
    ]
    return (*attacks, *heads)


def _tried(
    name: str,
    warp: Warp,
    turns: tuple[float, float],
    detector: FaceDetector,
    photos: list[tuple[ByteImage, HeadView]],
    bursts_each: int,
    seed: int,
    limits: MotionLimits,
) -> MotionCheck:
    """Return how many pass; a picture in which no face is found any more does not."""
    random = np.random.default_rng(seed)
    passed = trials = 0
    for photo, straight in photos:
        for _ in range(bursts_each):
            side = float(random.choice([-1.0, 1.0]))
            degrees = side * random.uniform(*turns)
            turned = _look(detector, warp(photo, straight, math.radians(degrees), random))
            look = Instruction.TURN_LEFT if side > 0 else Instruction.TURN_RIGHT
            passed += turned is not None and passes(look, turned, straight, limits)
            trials += 1
    return MotionCheck(kind=name, attack=True, passed=clopper_pearson(passed, trials))


def _tilted(
    photo: ByteImage, _straight: HeadView, yaw: float, random: np.random.Generator
) -> ByteImage:
    """Return a flat sheet turned around the vertical and a little around the level, near by."""
    height, width = photo.shape[:2]
    corners = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]])
    distance, pitch = random.uniform(1.5, 4.0), random.normal(0.0, 0.1)
    across, away = corners[:, 0] * np.cos(yaw), corners[:, 0] * np.sin(yaw)
    down = corners[:, 1] * np.cos(pitch) - away * np.sin(pitch)
    away = corners[:, 1] * np.sin(pitch) + away * np.cos(pitch)
    seen = np.column_stack([across, down]) * (distance / (distance + away))[:, None]
    size = np.array([width, height])
    motion = cv2.getPerspectiveTransform(
        ((corners + 0.5) * size).astype(np.float32), ((seen + 0.5) * size).astype(np.float32)
    )
    moved = cv2.warpPerspective(
        photo, motion, (width, height), borderMode=cv2.BORDER_CONSTANT, borderValue=(128, 128, 128)
    )
    return moved.astype(np.uint8, copy=False)


def _bent(radius_mm: int) -> Warp:
    """Return a warp by a cylinder with an upright axis through the face, seen from far away."""

    def warp(
        photo: ByteImage, straight: HeadView, yaw: float, _random: np.random.Generator
    ) -> ByteImage:
        height, width = photo.shape[:2]
        (left, _), (right, _), (nose, _), *_mouth = straight.landmarks
        radius = radius_mm / EYES_MM * (right - left)
        across = np.arange(width) - nose + radius * np.sin(yaw)
        angle = np.arcsin(np.clip(across / radius, -1, 1)) - yaw
        columns = np.where(np.abs(across) < radius, nose + radius * angle, -1.0)
        columns = columns.astype(np.float32)
        rows = np.arange(height, dtype=np.float32)
        moved = cv2.remap(
            photo,
            np.tile(columns, (height, 1)),
            np.tile(rows[:, None], (1, width)),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=(128, 128, 128),
        )
        return moved.astype(np.uint8, copy=False)

    return warp


def _as_a_head(
    photo: ByteImage, straight: HeadView, yaw: float, _random: np.random.Generator
) -> ByteImage:
    return turned_head(photo, straight, yaw)


def _look(detector: FaceDetector, picture: ByteImage) -> HeadView | None:
    """Return the largest face as the service sees it, or None."""
    faces = detector.detect(picture)
    return view_of(faces[0].landmarks) if faces else None


def view_of(landmarks: object) -> HeadView:
    """Return five landmarks, in pixels, with the yaw that they show."""
    points = np.asarray(landmarks, dtype=np.float64).reshape(5, 2)
    pairs = tuple((float(x), float(y)) for x, y in points)
    return HeadView(pairs, pose_degrees(pairs)[0])


def passes(
    look: Instruction, turned: HeadView, straight: HeadView, limits: MotionLimits = MOTION_LIMITS
) -> bool:
    """Say whether a turn and a straight look follow the challenge and move as a head."""
    try:
        require_motion([look, Instruction.LOOK_STRAIGHT], [turned, straight], limits)
    except LivenessFailedError:
        return False
    return True
