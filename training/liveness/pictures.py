"""Whole pictures instead of made landmarks: bent photos under the detector, real heads."""

from __future__ import annotations

import json
import math
import tarfile
from collections.abc import Callable, Iterator, Mapping
from itertools import permutations
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from app.domain.challenges import Instruction, require_motion
from app.domain.head_motion import HeadView
from app.domain.scene_errors import LivenessFailedError
from app.vision.decode import DecodeLimits, decode_photo
from app.vision.detector import FaceDetector
from app.vision.quality import pose_degrees
from training.data.crops import DataError
from training.evaluation.intervals import bootstrap_rate, clopper_pearson
from training.liveness.results import MotionCheck

Picture = npt.NDArray[np.uint8]
Warp = Callable[[Picture, HeadView, float, np.random.Generator], Picture]

RADII_MM = (126, 76, 50, 32)
EYES_MM = 63
TURNS_DEGREES = (20.0, 60.0)
#: Heads on real photos: the least and most difference of yaw of two photos of one person.
HEAD_TURN_DEGREES = (20.0, 60.0)
STRAIGHT_DEGREES = 15.0


def measure_pictures(
    detector: FaceDetector, folder: Path, bursts_each: int, seed: int
) -> tuple[MotionCheck, ...]:
    """Tilt and bend every photo below ``folder`` as a picture; the detector finds the landmarks.

    Raises ``DataError`` where no photo shows a face.
    """
    photos = [decode_photo(f.read_bytes(), DecodeLimits()) for f in sorted(folder.rglob("*.jpg"))]
    found = [(photo, view) for photo in photos if (view := _look(detector, photo)) is not None]
    if not found:
        raise DataError(f"no face was found in the photos below {folder}")
    kinds: dict[str, Warp] = {"flat photo, tilted by 20 to 60 degrees": _tilted}
    for radius in RADII_MM:
        kinds[f"photo bent to a radius of {radius} mm, turned by 20 to 60 degrees"] = _bent(radius)
    return tuple(
        _attack(name, warp, detector, found, bursts_each, seed + number)
        for number, (name, warp) in enumerate(kinds.items())
    )


def measure_real_heads(photos: Path) -> MotionCheck:
    """Judge pairs of photos of one person, one straight and one turned, as if they were one scene.

    ``photos`` is a tar with ``labels.jsonl``: the detector's landmarks on photos of different days.
    Expression, age and lens differ as they never do within a second. Pairs whose turn is measured
    as 20 to 60 degrees count; the interval resamples people. Raises ``DataError`` for no such pair.
    """
    views: dict[str, list[HeadView]] = {}
    for label in _labels(photos):
        faces = label["faces"]
        if isinstance(faces, list) and len(faces) == 1:
            views.setdefault(str(label["identity"]), []).append(_view(faces[0]["landmarks"]))
    passed, people = [], []
    for person, seen in enumerate(views.values()):
        for straight, turned in permutations(seen, 2):
            turn = turned.yaw_degrees - straight.yaw_degrees
            if (
                abs(straight.yaw_degrees) <= STRAIGHT_DEGREES
                and HEAD_TURN_DEGREES[0] <= abs(turn) <= HEAD_TURN_DEGREES[1]
            ):
                look = Instruction.TURN_LEFT if turn > 0 else Instruction.TURN_RIGHT
                passed.append(_passes(look, turned, straight))
                people.append(person)
    if not passed:
        raise DataError(f"{photos} holds no straight and turned photo of one person")
    return MotionCheck(
        kind="two real photos of one person, 20 to 60 degrees apart",
        attack=False,
        passed=bootstrap_rate(np.array(passed), np.array(people, np.int64)),
    )


def _attack(
    name: str,
    warp: Warp,
    detector: FaceDetector,
    photos: list[tuple[Picture, HeadView]],
    bursts_each: int,
    seed: int,
) -> MotionCheck:
    """Return how many pass; a picture in which no face is found any more does not."""
    random = np.random.default_rng(seed)
    passed = trials = 0
    for photo, straight in photos:
        for _ in range(bursts_each):
            side = float(random.choice([-1.0, 1.0]))
            degrees = side * random.uniform(*TURNS_DEGREES)
            turned = _look(detector, warp(photo, straight, math.radians(degrees), random))
            look = Instruction.TURN_LEFT if side > 0 else Instruction.TURN_RIGHT
            passed += turned is not None and _passes(look, turned, straight)
            trials += 1
    return MotionCheck(kind=name, attack=True, passed=clopper_pearson(passed, trials))


def _tilted(
    photo: Picture, _straight: HeadView, yaw: float, random: np.random.Generator
) -> Picture:
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
        photo: Picture, straight: HeadView, yaw: float, _random: np.random.Generator
    ) -> Picture:
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


def _look(detector: FaceDetector, picture: Picture) -> HeadView | None:
    """Return the largest face as the service sees it, or None."""
    faces = detector.detect(picture)
    return _view(faces[0].landmarks) if faces else None


def _view(landmarks: object) -> HeadView:
    points = np.asarray(landmarks, dtype=np.float64).reshape(5, 2)
    pairs = tuple((float(x), float(y)) for x, y in points)
    return HeadView(pairs, pose_degrees(pairs)[0])


def _passes(look: Instruction, turned: HeadView, straight: HeadView) -> bool:
    try:
        require_motion([look, Instruction.LOOK_STRAIGHT], [turned, straight])
    except LivenessFailedError:
        return False
    return True


def _labels(photos: Path) -> Iterator[Mapping[str, object]]:
    """Yield the lines of ``labels.jsonl``; raises ``DataError`` where the tar has none."""
    with tarfile.open(photos) as archive:
        names = [name for name in archive.getnames() if Path(name).name == "labels.jsonl"]
        stream = archive.extractfile(names[0]) if names else None
        if stream is None:
            raise DataError(f"{photos} holds no labels.jsonl")
        for line in stream:
            yield json.loads(line)
