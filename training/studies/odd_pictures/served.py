"""Pictures sent the way that serves: bytes, decoded, detected, aligned, checked, embedded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from app.domain.faces import Picture, QualityLimits
from app.domain.model_manifest import ModelManifest
from app.domain.photo_errors import PhotoError
from app.domain.runtime import Runtime
from app.embedding.load import load_embedder
from app.services.admission import Admission
from app.services.extraction import FaceExtraction, SeveralFaces
from app.vision.detector import FaceDetector
from app.vision.opencv import configure_opencv
from app.vision.plainness import read_plainness
from app.vision.reader import FaceVision
from app.vision.weights import read_detector_weights
from training.foundation.arrays import Matrix
from training.foundation.errors import DataError

_SAVED_AT = 95
_PATIENCE_SECONDS = 60.0


@dataclass(frozen=True)
class Shown:
    """What became of one picture at the door and at enrollment.

    ``visiting`` and ``enrolled`` ``(D,)`` are unit embeddings, or zeros where the picture was
    refused: nothing matches those. ``at_the_door`` and ``at_enrollment`` are the codes of the
    refusals, None where it was taken.
    """

    visiting: Matrix
    enrolled: Matrix
    at_the_door: str | None
    at_enrollment: str | None


class ServedPictures:
    """The service's own use case for one photo, put together as the service does by default."""

    def __init__(self, model: Path) -> None:
        """Load the model's folder; raises ``ModelArtifactError`` or ``DetectorArtifactError``."""
        configure_opencv(threads=1)
        embedder = load_embedder(model, Runtime.AUTO, workers=1)
        self.manifest: ModelManifest = embedder.manifest
        self.vision = FaceVision(
            FaceDetector(read_detector_weights()),
            plainness=read_plainness(model, self.manifest.plainness),
        )
        self._extraction = FaceExtraction(self.vision, embedder, Admission(1, 0, _PATIENCE_SECONDS))

    def show(self, content: bytes) -> Shown:
        """Show a picture at the door, and enroll it where the door takes it.

        Enrollment asks for more than the door in every respect, and for one face only, so that what
        the door refuses it refuses for the same reason.
        """
        visiting, refused = self._taken(
            content, self.manifest.verification_limits, SeveralFaces.LARGEST
        )
        if refused is not None:
            return Shown(visiting, visiting, refused, refused)
        enrolled, not_enrolled = self.enroll(content)
        return Shown(visiting, enrolled, None, not_enrolled)

    def visit(self, content: bytes) -> Matrix:
        """Return the embedding ``(D,)`` of a picture at the door, zeros where it is refused."""
        return self._taken(content, self.manifest.verification_limits, SeveralFaces.LARGEST)[0]

    def enroll(self, content: bytes) -> tuple[Matrix, str | None]:
        """Return the embedding ``(D,)`` of a picture at enrollment, or zeros and the refusal."""
        return self._taken(content, self.manifest.enrollment_limits, SeveralFaces.REFUSE)

    def _taken(
        self, content: bytes, limits: QualityLimits, several: SeveralFaces
    ) -> tuple[Matrix, str | None]:
        try:
            face = self._extraction.extract(content, limits, several)
        except PhotoError as error:
            return np.zeros(self.manifest.embedding_dim, np.float32), error.code
        return face.embedding, None


def as_photo(picture: Picture) -> bytes:
    """Return a picture as the JPEG that a camera would send; raises ``DataError``."""
    colours = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    done, encoded = cv2.imencode(".jpg", colours, [cv2.IMWRITE_JPEG_QUALITY, _SAVED_AT])
    if not done:
        raise DataError("OpenCV cannot write a picture as JPEG")
    return encoded.tobytes()
