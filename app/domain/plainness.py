"""What a manifest says of the network that tells covered and altered faces from plain ones."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from app.domain.alignment import FACE_CROP_SIZE

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Plainness:
    """A network's file beside the model's own, its hash, and the least plainness to be enrolled.

    Different people who are covered or altered in the same way resemble each other, each with a
    face that the model reads well: no embedding tells. So the picture is looked at by a network of
    its own. ``golden``: the log-odds that it gave to the golden input when it was exported; one
    that is loaded must give them within ``golden_tolerance``. ``min_enrollment``: 0 to 1.
    """

    file: str
    sha256: str
    golden: float
    golden_tolerance: float
    min_enrollment: float

    def __post_init__(self) -> None:
        """Raise ``ValueError`` where a value cannot be."""
        if not self.file or "/" in self.file or "\\" in self.file or self.file in {".", ".."}:
            raise ValueError(f"a network of plainness lies beside its model, not at {self.file!r}")
        if not _SHA256.fullmatch(self.sha256):
            raise ValueError("the hash of the network of plainness is SHA-256 in lower case")
        if not (math.isfinite(self.golden) and 0 < self.golden_tolerance < 1):
            raise ValueError("the golden answer is finite, and its tolerance within 0 and 1")
        if not 0 <= self.min_enrollment < 1:
            raise ValueError("the least plainness: 0 <= enrollment < 1")

    @property
    def input_size(self) -> int:
        """The side in pixels of the crop that it sees."""
        return FACE_CROP_SIZE
