"""Finds the face in a picture and cuts it out as the service does, for training on whole photos."""

from __future__ import annotations

import functools
import threading
from typing import Protocol

import numpy as np

from app.domain.faces import Detection, Picture
from app.vision.alignment import align_face
from app.vision.detector import FaceDetector
from app.vision.opencv import configure_opencv
from app.vision.weights import read_detector_weights
from training.data.images import UnreadableImageError

_making = threading.Lock()


class FaceFinder(Protocol):
    """Finds faces; may be asked by several threads at once."""

    def detect(self, picture: Picture) -> list[Detection]:
        """Return the faces of a uint8 RGB picture ``(H, W, 3)``, largest first."""
        ...


def cut_face(picture: Picture, size: int, finder: FaceFinder) -> Picture:
    """Return the largest face on the ArcFace template, uint8 RGB ``(size, size, 3)``.

    The template of 112 px is scaled to ``size``; beyond the picture its border is repeated. Raises
    ``UnreadableImageError`` where no face is found, or one whose landmarks define no scale.
    """
    faces = finder.detect(picture)
    if not faces:
        raise UnreadableImageError("no face was found")
    try:
        crop = align_face(picture, faces[0].landmarks, size=size)
    except ValueError as error:
        raise UnreadableImageError(f"its face cannot be aligned: {error}") from error
    return np.ascontiguousarray(crop.transpose(1, 2, 0))


def service_detector() -> FaceDetector:
    """Return the service's own detector: one in a process, made when first asked for.

    It holds as many networks as threads ever ask it at once. Raises ``DetectorArtifactError``
    where its weights are missing.
    """
    with _making:
        return _make_detector()


@functools.cache
def _make_detector() -> FaceDetector:
    configure_opencv(threads=1)
    return FaceDetector(read_detector_weights())
