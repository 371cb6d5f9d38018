"""What the teachers together say of pictures, and who looks alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch

from app.domain.embeddings import directions
from app.vision.alignment import align_face
from app.vision.reader import FaceVision
from training.data.crops import CROP_MARGIN, CROP_SIZE
from training.foundation.arrays import ByteImage, FloatArray
from training.teachers.torchscript import Teacher


class PictureDescriber(Protocol):
    """Embeds pictures by several teachers."""

    @property
    def names(self) -> tuple[str, ...]:
        """The teachers' names in order."""
        ...

    def look(self, crops: ByteImage) -> FloatArray:
        """Return unit embeddings ``(teachers, N, D)`` of 128 px crops ``(N, 128, 128, 3)``."""
        ...


class TeacherEnsemble:
    """The real teachers; the shorter of their embeddings are padded by zeros."""

    def __init__(self, teachers: Sequence[Teacher]) -> None:
        self.teachers = tuple(teachers)

    @property
    def names(self) -> tuple[str, ...]:
        """The teachers' names in order."""
        return tuple(teacher.recipe.name for teacher in self.teachers)

    def look(self, crops: ByteImage, batch_size: int = 64) -> FloatArray:
        """Return unit embeddings ``(teachers, N, D)`` of 128 px crops ``(N, 128, 128, 3)``."""
        pictures = torch.from_numpy(np.ascontiguousarray(crops.transpose(0, 3, 1, 2)))
        margin = CROP_MARGIN / (CROP_SIZE - 2 * CROP_MARGIN)
        looks = []
        for teacher in self.teachers:
            rows = [
                teacher(part.float().to(teacher.device), CROP_SIZE, margin).cpu().numpy()
                for part in pictures.split(batch_size)
            ]
            looks.append(np.concatenate(rows).astype(np.float64))
        width = max(look.shape[1] for look in looks)
        return np.stack([np.pad(look, ((0, 0), (0, width - look.shape[1]))) for look in looks])


def cosines(first: FloatArray, second: FloatArray) -> FloatArray:
    """Return ``(teachers, N, M)`` cosines of two arrays of looks."""
    return np.asarray(first @ second.transpose(0, 2, 1), dtype=np.float64)


def centre_of(looks: FloatArray) -> FloatArray:
    """Return the unit mean ``(teachers, 1, D)`` of looks."""
    return directions(looks.mean(axis=1, keepdims=True))


def found_crop(photo: ByteImage, vision: FaceVision, min_face_pixels: float) -> ByteImage | None:
    """Return the 128 px crop of the one face that the service finds; ``None`` where it is not so.

    A face smaller than ``min_face_pixels`` does not count either.
    """
    faces = vision.detect(photo)
    if len(faces) != 1 or min(faces[0].box.width, faces[0].box.height) < min_face_pixels:
        return None
    crop = align_face(photo, faces[0].landmarks, margin=CROP_MARGIN)
    return np.ascontiguousarray(crop.transpose(1, 2, 0))
