"""From a photo's bytes to aligned faces: what the use cases know as ``Vision``."""

from __future__ import annotations

import dataclasses

from app.domain.faces import DecodedPhoto, Detection, FaceCrop, FoundFaces, Picture
from app.vision.alignment import align_face, inside_share
from app.vision.decode import DecodeLimits, decode_file, open_photo, read_photo
from app.vision.detector import FaceDetector
from app.vision.plainness import PlainnessNetwork
from app.vision.quality import measure_quality

#: The longer side of a picture in which a near face is looked for has at least so many pixels.
REDUCED_SIDE = 640
#: The shorter side of a face's box from which on the aligned crop of 112 px takes nothing from more
#: detail: there the crop is as large as what it is cut from.
DETAILED_FACE_PIXELS = 80.0


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

    def find_faces(self, content: bytes, *, nearest: bool) -> FoundFaces:
        """Return the faces of a photo, largest first, in pixels of the picture that is with them.

        With ``nearest`` only the largest is wanted. A face that is near is seen at a fraction of
        the photo's detail, and cut from a picture that was decoded with no more than it needs;
        faces far behind it are left out. Where none is near the whole photo is searched. Raises
        ``PhotoError`` before it allocates too much.
        """
        file = open_photo(content, self.limits)
        reduced = nearest and file.reducible and max(file.upright_size) >= 2 * REDUCED_SIDE
        photo = decode_file(file, self.limits, min_side=REDUCED_SIDE if reduced else None)
        near = self.detector.glance(photo.picture) if nearest else []
        if reduced and not (near and _shorter_side(near[0]) >= DETAILED_FACE_PIXELS):
            detailed = decode_file(file, self.limits)
            finer = photo.scale / detailed.scale
            photo, near = detailed, [face.scaled(finer) for face in near]
        if near:
            return FoundFaces(photo, self.detector.refine(photo.picture, near))
        return FoundFaces(photo, self.detector.detect(photo.picture))

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


def _shorter_side(face: Detection) -> float:
    return min(face.box.width, face.box.height)
