"""From a photo's bytes to aligned faces: what the use cases know as ``Vision``."""

from __future__ import annotations

import dataclasses

from app.domain.faces import DecodedPhoto, Detection, FaceCrop, Picture
from app.vision.alignment import align_face, inside_share
from app.vision.decode import DecodeLimits, read_photo
from app.vision.detector import FaceDetector
from app.vision.plainness import PlainnessNetwork
from app.vision.quality import measure_quality


class FaceVision:
    """Decodes photos, finds faces in them and cuts them out. Safe to call from several threads."""

    def __init__(
        self,
        detector: FaceDetector,
        limits: DecodeLimits | None = None,
        plainness: PlainnessNetwork | None = None,
    ) -> None:
        self.detector = detector
        self.limits = limits or DecodeLimits()
        self._plainness = plainness

    def decode(self, content: bytes) -> Picture:
        """Return the upright RGB picture; raises ``PhotoError`` before it allocates too much."""
        return self.read_photo(content).picture

    def read_photo(self, content: bytes) -> DecodedPhoto:
        """Return the upright RGB picture and the size that the photo has by itself.

        Raises ``PhotoError`` before it allocates too much.
        """
        return read_photo(content, self.limits)

    def detect(self, picture: Picture) -> list[Detection]:
        """Return the faces, largest first; none is an empty list."""
        return self.detector.detect(picture)

    def look_at_turns(self, picture: Picture, detection: Detection) -> Detection:
        """Return the face as it is seen best at any eighth of a turn; it may be the same."""
        return self.detector.look_at_turns(picture, detection)

    def crop(self, picture: Picture, detection: Detection) -> FaceCrop:
        """Return the aligned crop of one face with its measured quality.

        How plain it is as well, where the model's network tells.
        """
        pixels = align_face(picture, detection.landmarks)
        inside = inside_share(picture.shape, detection.landmarks)
        quality = measure_quality(pixels, detection, inside)
        if self._plainness is not None:
            quality = dataclasses.replace(quality, plainness=self._plainness.measure(pixels))
        return FaceCrop(pixels, quality)
