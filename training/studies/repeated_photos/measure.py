"""How well a photo that is sent again is known, and whether another photo is taken for it.

Photos are encoded anew as senders do (other quality and formats, smaller, larger, cut at the rim)
and go the service's whole way; what is no longer fit to be enrolled is left out. Different photos
of one person are aligned crops, where only embeddings can be compared: a bound from above.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from app.domain.embeddings import Embedding
from app.domain.faces import ENROLLMENT_LIMITS, require_quality
from app.domain.photo_errors import PhotoError
from app.domain.repeats import REPEAT_LIMITS, SeenPhoto, is_repeat
from app.vision.reader import FaceVision
from training.foundation.arrays import ByteImage, FloatArray, IntArray

Embed = Callable[[ByteImage], Sequence[Embedding]]

#: Ways that keep most of what a picture shows: of these nearly all must be known again.
USUAL = ("jpeg 95", "jpeg 85", "jpeg 75", "png", "webp 80", "half the size", "cut at the rim")


@dataclass(frozen=True)
class KnownAgain:
    """Of ``photos`` encoded anew in one way, how many are taken for what they are."""

    way: str
    photos: int
    known: int
    lowest_similarity: float

    @property
    def share(self) -> float:
        """Which share is known again, 0 to 1."""
        return self.known / self.photos if self.photos else 0.0


@dataclass(frozen=True)
class TakenForRepeats:
    """Pairs of photos of one person, and how many reach the similarity of a repeated photo."""

    pairs: int
    alike: int


def seen(vision: FaceVision, embed: Embed, content: bytes) -> SeenPhoto | None:
    """Return what a photo is known by; None where it could not be enrolled."""
    try:
        picture = vision.decode(content)
        detections = vision.detect(picture)
        if len(detections) != 1:
            return None
        crop = vision.crop(picture, detections[0])
        require_quality(crop.quality, ENROLLMENT_LIMITS)
    except PhotoError:
        return None
    return SeenPhoto(embed(crop.pixels[None])[0], crop.quality)


def encoded_anew(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the photo in every way, each with its name; raises ``ValueError`` for no picture."""
    decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    if decoded is None:
        raise ValueError("not a picture that OpenCV reads")
    picture: ByteImage = decoded.astype(np.uint8)
    yield "the same file", content
    for quality in (95, 85, 75, 60, 40):
        yield f"jpeg {quality}", _encoded(picture, ".jpg", cv2.IMWRITE_JPEG_QUALITY, quality)
    yield "png", _encoded(picture, ".png", cv2.IMWRITE_PNG_COMPRESSION, 1)
    yield "webp 80", _encoded(picture, ".webp", cv2.IMWRITE_WEBP_QUALITY, 80)
    for name, scale in (("twice the size", 2.0), ("half the size", 0.5)):
        method = cv2.INTER_LINEAR if scale > 1 else cv2.INTER_AREA
        other = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=method)
        yield name, _encoded(other.astype(np.uint8), ".jpg", cv2.IMWRITE_JPEG_QUALITY, 85)
    height, width = picture.shape[:2]
    inner = picture[height // 20 : height - height // 30, width // 20 : width - width // 20]
    yield "cut at the rim", _encoded(inner, ".jpg", cv2.IMWRITE_JPEG_QUALITY, 85)


def measure_known_again(
    vision: FaceVision, embed: Embed, photos: Sequence[bytes]
) -> tuple[KnownAgain, ...]:
    """Return for each way how many of the photos that can be enrolled are known again."""
    found: dict[str, list[tuple[bool, float]]] = {}
    for content in photos:
        original = seen(vision, embed, content)
        if original is None:
            continue
        for way, other in encoded_anew(content):
            again = seen(vision, embed, other)
            if again is not None:
                likeness = float(original.embedding @ again.embedding)
                found.setdefault(way, []).append((is_repeat(original, again), likeness))
    return tuple(
        KnownAgain(way, len(rows), sum(known for known, _ in rows), min(s for _, s in rows))
        for way, rows in found.items()
    )


def measure_taken_for_repeats(embeddings: FloatArray, identities: IntArray) -> TakenForRepeats:
    """Return how many pairs of one person's photos ``(N, D)`` are as alike as repeated ones."""
    pairs = alike = 0
    for identity in np.unique(identities):
        own = embeddings[identities == identity]
        first, second = np.triu_indices(len(own), 1)
        similarities = (own @ own.T)[first, second]
        pairs += len(similarities)
        alike += int((similarities >= REPEAT_LIMITS.min_similarity).sum())
    return TakenForRepeats(pairs, alike)


def _encoded(picture: ByteImage, suffix: str, option: int, value: int) -> bytes:
    return bytes(cv2.imencode(suffix, picture, [option, value])[1].tobytes())
