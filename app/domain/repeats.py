"""Whether a photo is one that is there already, as the same file or encoded anew.

No picture and no hash of one is kept, and a file that was encoded anew has other bytes: a photo is
known again by its embedding and by what was measured of the face. `python -m training
repeated-photos` measures both errors; docs/decisions/0023 says how the limits were chosen.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.embeddings import Embedding, similarity
from app.domain.faces import FaceQuality


@dataclass(frozen=True)
class SeenPhoto:
    """What a photo is known again by."""

    embedding: Embedding
    quality: FaceQuality


@dataclass(frozen=True)
class RepeatLimits:
    """How alike two photos must be to be one.

    ``min_similarity`` of the embeddings, and the most that pose (degrees) and brightness (of 255)
    may differ. Roll is left out, for a photo may have been turned, and size and sharpness, which
    encoding changes.
    """

    min_similarity: float = 0.93
    max_yaw_degrees: float = 8.0
    max_pitch_degrees: float = 6.0
    max_brightness: float = 10.0


REPEAT_LIMITS = RepeatLimits()


def is_repeat(one: SeenPhoto, other: SeenPhoto, limits: RepeatLimits = REPEAT_LIMITS) -> bool:
    """Tell whether two photos are the same picture."""
    first, second = one.quality, other.quality
    return (
        similarity(one.embedding, other.embedding) >= limits.min_similarity
        and abs(first.yaw_degrees - second.yaw_degrees) <= limits.max_yaw_degrees
        and abs(first.pitch_degrees - second.pitch_degrees) <= limits.max_pitch_degrees
        and abs(first.brightness - second.brightness) <= limits.max_brightness
    )
