"""The people whose aligned photos are blended: only clear, frontal, unlettered faces."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.domain.faces import FaceQuality
from app.vision.reader import FaceVision
from training.data.crops import CROP_SIZE, read_crops
from training.foundation.arrays import BoolArray, ByteImage, FloatArray, IntArray
from training.synthesis.excluded import EXCLUDED_PARENTS

#: The part of a 128 px crop that is used: centre and radii in pixels, feathered outwards.
FACE_CENTRE = (63.5, 71.0)
FACE_RADII = (45.0, 56.0)


@dataclass(frozen=True)
class Parent:
    """One person's usable photos: crops ``(n, 128, 128, 3)``, landmarks ``(n, 5, 2)``, names."""

    identity: str
    crops: ByteImage
    landmarks: FloatArray
    files: tuple[str, ...]

    def select(self, rows: IntArray) -> Parent:
        """Return this person with only some of the photos."""
        files = tuple(self.files[row] for row in rows)
        return Parent(self.identity, self.crops[rows], self.landmarks[rows], files)


@dataclass(frozen=True)
class ParentOptions:
    """Who may be a parent: ``people`` of those with ``min_photos`` clear and frontal photos."""

    people: int = 240
    min_photos: int = 4
    max_photos: int = 10
    min_sharpness: float = 60.0
    excluded: frozenset[str] = EXCLUDED_PARENTS


def read_parents(
    paths: Sequence[Path],
    options: ParentOptions,
    vision: FaceVision,
    rng: np.random.Generator,
    progress: Callable[[str], None],
) -> list[Parent]:
    """Return people in random order, each with between ``min_photos`` and ``max_photos`` photos."""
    crops = read_crops("parents", list(paths), labelled=True)
    rows_of: defaultdict[int, list[int]] = defaultdict(list)
    for row, person in enumerate(crops.identities.tolist()):
        rows_of[person].append(row)
    candidates = [rows for rows in rows_of.values() if len(rows) >= options.min_photos]
    parents: list[Parent] = []
    for position in rng.permutation(len(candidates)):
        if len(parents) == options.people:
            break
        rows = candidates[position]
        identity = crops.files[rows[0]].rsplit("/", 2)[-2]
        if identity in options.excluded:
            continue
        pictures = crops.images[rows].numpy().transpose(0, 2, 3, 1)
        parent = _usable(identity, pictures, [crops.files[row] for row in rows], vision, options)
        if len(parent.files) >= options.min_photos:
            parents.append(parent.select(np.arange(min(len(parent.files), options.max_photos))))
    progress(f"{len(parents)} parents, {sum(len(parent.files) for parent in parents)} photos")
    return parents


def family(identity: str) -> str:
    """Return what relatives share: the family's number where there is one, else the identity."""
    found = re.match(r"(fiw-F\d+)-", identity)
    return found.group(1) if found else identity


def face_ellipse(scale: float = 1.0) -> FloatArray:
    """Return ``(128, 128)``: distance from the face's centre, 1 on the ellipse ``scale`` wide."""
    rows, columns = np.mgrid[:CROP_SIZE, :CROP_SIZE].astype(np.float64)
    across = (columns - FACE_CENTRE[0]) / (FACE_RADII[0] * scale)
    down = (rows - FACE_CENTRE[1]) / (FACE_RADII[1] * scale)
    return np.asarray(np.hypot(across, down), dtype=np.float64)


def _usable(
    identity: str, pictures: ByteImage, files: list[str], vision: FaceVision, options: ParentOptions
) -> Parent:
    inside = face_ellipse(1.05) < 1
    kept, landmarks = [], []
    for row, picture in enumerate(pictures):
        if _cut(picture, inside):
            continue
        faces = vision.detect(picture)
        if len(faces) == 1 and _clear(vision.crop(picture, faces[0]).quality, options):
            kept.append(row)
            landmarks.append(faces[0].landmarks)
    points = np.array(landmarks, dtype=np.float64).reshape(-1, 5, 2)
    return Parent(identity, pictures[kept], points, tuple(files[row] for row in kept))


def _cut(picture: ByteImage, inside: BoolArray) -> bool:
    """Tell whether the photograph ends within the face, or its frame shows."""
    black = picture.max(axis=2) <= 10
    border = np.concatenate([black[:4].ravel(), black[:, :4].ravel(), black[:, -4:].ravel()])
    return bool(black[inside].mean() > 0.01 or border.mean() > 0.5)


def _clear(quality: FaceQuality, options: ParentOptions) -> bool:
    return (
        quality.detector_score >= 0.85
        and options.min_sharpness <= quality.sharpness <= 2500
        and 70 <= quality.brightness <= 195
        and abs(quality.yaw_degrees) <= 22
        and abs(quality.pitch_degrees) <= 12
    )
