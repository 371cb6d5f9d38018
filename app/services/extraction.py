"""From the bytes of a photo to one measured, embedded face."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.domain.embeddings import Embedding
from app.domain.faces import (
    Detection,
    FaceQuality,
    Picture,
    QualityLimits,
    require_plain,
    require_quality,
    require_recognisable,
)
from app.domain.photo_errors import (
    FaceCutOffError,
    FaceDistortedError,
    FaceTurnedError,
    FaceUnrecognisableError,
    NoFaceFoundError,
    PhotoError,
    SeveralFacesFoundError,
)
from app.services.admission import Admission
from app.services.ports import Embedder, Vision

#: What may be due to the angle at which the face was looked at.
_SEEN_AMISS = (FaceTurnedError, FaceCutOffError, FaceDistortedError, FaceUnrecognisableError)


class SeveralFaces(StrEnum):
    """What to do with a photo of several faces."""

    LARGEST = "largest"
    REFUSE = "refuse"


@dataclass(frozen=True)
class ExtractedFace:
    """The face that was used, in pixels of the photo, and how many there were to choose from."""

    embedding: Embedding
    detection: Detection
    quality: FaceQuality
    faces_found: int


class FaceExtraction:
    """Decode, detect, align, measure, embed: one photo at a time, each with a permit."""

    def __init__(self, vision: Vision, embedder: Embedder, admission: Admission) -> None:
        self._vision = vision
        self._embedder = embedder
        self._admission = admission

    def extract(
        self, content: bytes, limits: QualityLimits, several: SeveralFaces
    ) -> ExtractedFace:
        """Return the face of a photo; raises ``PhotoError`` naming why it cannot be used.

        Of several faces the largest is taken, unless they are to be refused.
        """
        with self._admission.permit():
            return self._extract(content, limits, several)

    def extract_burst(
        self, frames: Sequence[bytes | PhotoError], limits: QualityLimits, several: SeveralFaces
    ) -> list[ExtractedFace | PhotoError]:
        """Return the face of each frame, or instead why the frame cannot be used.

        All under one permit: a burst waits once and then holds others up for as many recognitions
        as it has frames, never for more.
        """
        found: list[ExtractedFace | PhotoError] = []
        with self._admission.permit():
            for frame in frames:
                try:
                    if isinstance(frame, PhotoError):
                        raise frame
                    found.append(self._extract(frame, limits, several))
                except PhotoError as error:
                    found.append(error)
        return found

    def _extract(
        self, content: bytes, limits: QualityLimits, several: SeveralFaces
    ) -> ExtractedFace:
        found = self._vision.find_faces(content, nearest=several is SeveralFaces.LARGEST)
        picture, detections = found.photo.picture, found.detections
        if not detections:
            raise NoFaceFoundError("no face was found in the photo")
        if several is SeveralFaces.REFUSE and len(detections) > 1:
            raise SeveralFacesFoundError(
                f"{len(detections)} faces were found, exactly one is wanted"
            )
        scale = found.photo.scale
        chosen = max(detections, key=lambda detection: detection.box.area)
        try:
            return self._embedded(picture, chosen, scale, limits, len(detections))
        except _SEEN_AMISS:
            # Only now, for it costs as much as half a detection.
            turned = self._vision.look_at_turns(picture, chosen)
            if turned == chosen:
                raise
            return self._embedded(picture, turned, scale, limits, len(detections))

    def _embedded(
        self,
        picture: Picture,
        detection: Detection,
        scale: float,
        limits: QualityLimits,
        faces_found: int,
    ) -> ExtractedFace:
        """Cut, measure and embed one face; ``scale``: pixels of the photo per picture pixel."""
        crop = self._vision.crop(picture, detection)
        require_quality(crop.quality, limits)
        (embedding,) = self._embedder.embed(crop.pixels[None])
        centres = self._embedder.manifest.recognisability
        quality = dataclasses.replace(
            crop.quality,
            size_pixels=crop.quality.size_pixels * scale,
            recognisability=None if centres is None else centres.of(embedding),
        )
        require_recognisable(detection, quality, limits)
        require_plain(quality, limits)
        return ExtractedFace(embedding, detection.scaled(scale), quality, faces_found)
