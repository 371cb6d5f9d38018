"""What turns pictures into embeddings for a search, and the shipped face embedder as one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from app.domain.faces import Picture
from app.vision.alignment import align_face
from app.vision.detector import FaceDetector
from app.vision.opencv import configure_opencv
from app.vision.weights import read_detector_weights
from training.data.crops import CROP_MARGIN, CROP_SIZE
from training.data.decoding import decode_picture as decode_named
from training.data.images import UnreadableImageError
from training.evaluation.embedders import FACE_SIZE, ExportedEmbedder
from training.foundation.arrays import Matrix
from training.foundation.errors import DataError


class UnusablePictureError(DataError):
    """A picture cannot be embedded; the message says why."""


class ImageEmbedder(Protocol):
    """Embeds pictures one like the other; the same name and hash give the same embeddings."""

    @property
    def name(self) -> str:
        """What to call the model, with how it is fed where that makes a difference."""
        ...

    @property
    def sha256(self) -> str | None:
        """The hash of the model's file, where there is one."""
        ...

    def embed_pictures(self, pictures: Sequence[Picture]) -> Matrix:
        """Return unit embeddings, float32 ``(N, D)``, of uint8 RGB pictures ``(H, W, 3)``.

        Raises ``UnusablePictureError`` where one of them cannot be embedded.
        """
        ...


class FaceEmbedder:
    """The exported face embedder on whole photos, or on ready crops.

    Of a photo the largest face is taken, as the service does. A crop is the aligned 112 px face, or
    the 128 px one of the training data, whose margin is cut off.
    """

    def __init__(self, folder: Path, device: torch.device, *, crops: bool = False) -> None:
        """Load model and detector; raises ``CheckpointError`` where the folder holds no model."""
        self._network = ExportedEmbedder(folder, device)
        self._detector = None
        if not crops:
            configure_opencv(threads=1)
            self._detector = FaceDetector(read_detector_weights())
        self.name = self._network.name + (" on ready crops" if crops else " on whole photos")
        self.sha256 = self._network.sha256

    def embed_pictures(self, pictures: Sequence[Picture]) -> Matrix:
        """Return unit embeddings, float32 ``(N, D)``; raises ``UnusablePictureError``."""
        if not pictures:
            raise ValueError("no picture to embed")
        faces = [self._face(picture) for picture in pictures]
        return self._network.embed_faces(np.stack(faces))

    def _face(self, picture: Picture) -> Picture:
        """Return the aligned face, uint8 RGB ``(3, 112, 112)``."""
        if self._detector is None:
            return _ready_crop(picture)
        detections = self._detector.detect(picture)
        if not detections:
            raise UnusablePictureError("no face was found")
        return align_face(picture, detections[0].landmarks)


def read_picture(path: Path) -> Picture:
    """Return an upright RGB picture, decoded as for training (see ``training.data.decoding``).

    Raises ``UnusablePictureError`` where it cannot be read.
    """
    try:
        return decode_picture(path.read_bytes())
    except (OSError, UnusablePictureError) as error:
        raise UnusablePictureError(f"{path} cannot be used: {error}") from error


def decode_picture(content: bytes) -> Picture:
    """Return the upright RGB picture of a file's bytes; raises ``UnusablePictureError``."""
    key = "picture"
    try:
        return decode_named(content, key)
    except UnreadableImageError as error:
        raise UnusablePictureError(str(error).removeprefix(f"{key}: ")) from error


def _ready_crop(picture: Picture) -> Picture:
    side = picture.shape[0]
    if picture.shape[:2] not in {(FACE_SIZE, FACE_SIZE), (CROP_SIZE, CROP_SIZE)}:
        raise UnusablePictureError(
            f"the picture is {picture.shape[1]} x {side} px, "
            f"a ready crop is {FACE_SIZE} or {CROP_SIZE} px"
        )
    margin = CROP_MARGIN if side == CROP_SIZE else 0
    face = picture[margin : side - margin, margin : side - margin]
    return np.ascontiguousarray(face.transpose(2, 0, 1))
