"""How recognisable a face is: how far its embedding lies from what a network cannot read."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.domain.embeddings import UNIT_TOLERANCE, Embedding


@dataclass(frozen=True)
class Recognisability:
    """The centres of the unrecognisable in one model's embedding space, and the limits on them.

    What a network cannot read (a face upside down, a mosaic, a texture) falls into a few clusters,
    where everybody matches everybody; the distance to their centres says how recognisable a picture
    is (Deng et al., "Harnessing Unrecognizable Faces for Improving Face Recognition", WACV 2023).
    ``centres``: unit rows ``(K, D)``, float32. ``min_enrollment`` and ``min_verification``: below
    these a face is not enrolled and not decided on; 0 to 1.
    """

    centres: npt.NDArray[np.float32]
    min_enrollment: float
    min_verification: float

    def __post_init__(self) -> None:
        """Raise ``ValueError`` where the centres are no unit rows or the limits out of order."""
        lengths = np.linalg.norm(self.centres.astype(np.float64), axis=-1)
        if self.centres.ndim != 2 or not len(self.centres):
            raise ValueError(f"centres are rows (K, D), not of shape {self.centres.shape}")
        if not (np.isfinite(lengths).all() and (np.abs(lengths - 1) < UNIT_TOLERANCE).all()):
            raise ValueError("centres of the unrecognisable have unit length")
        if not 0 <= self.min_verification <= self.min_enrollment < 1:
            raise ValueError("limits of recognisability: 0 <= verification <= enrollment < 1")

    def of(self, embedding: Embedding) -> float:
        """Return the cosine distance to the nearest centre, clipped to 0 to 1."""
        nearest = float((self.centres @ embedding).max())
        return min(1.0, max(0.0, 1.0 - nearest))

    def objection(self, embedding: Embedding) -> str | None:
        """Return why a photo with this embedding must not be enrolled; None: it may."""
        measured = self.of(embedding)
        if measured >= self.min_enrollment:
            return None
        return (
            f"unrecognisable ({measured:.3f}, {self.min_enrollment:.3f} is needed): it matches "
            "any unrecognisable face; replace it by a better photo"
        )

    @property
    def sha256(self) -> str:
        """The hash of centres and limits, in hexadecimal digits.

        Of the limits as decimal text, enrollment first, and the rows as little-endian float32.
        """
        limits = f"{self.min_enrollment} {self.min_verification}\n".encode()
        rows = np.ascontiguousarray(self.centres, dtype="<f4").tobytes()
        return hashlib.sha256(limits + rows).hexdigest()
