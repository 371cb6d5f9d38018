"""What an audit looks at: every enrolled photo of one model, as numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.domain.embeddings import Embedding
from app.domain.faces import FaceQuality

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class AuditedPhoto:
    """One enrolled photo: whose it is, its measures and its embedding."""

    employee_id: str
    photo_id: str
    quality: FaceQuality
    embedding: Embedding


@dataclass(frozen=True)
class AuditPage:
    """The photos of some employees; the next page starts after ``next_key``, if there is one."""

    photos: tuple[AuditedPhoto, ...]
    next_key: int | None


@dataclass(frozen=True)
class AuditGallery:
    """The photos of N people, P in all, grouped by person.

    ``embeddings``: unit rows ``(P, D)``, float32. ``owners``: for each photo the position of its
    person in ``employee_ids``, ascending ``(P,)``. ``told_apart``: positions of two people, the
    smaller first, that somebody confirmed to be two.
    """

    employee_ids: tuple[str, ...]
    photo_ids: tuple[str, ...]
    qualities: tuple[FaceQuality, ...]
    embeddings: npt.NDArray[np.float32]
    owners: IntArray
    told_apart: frozenset[tuple[int, int]] = frozenset()

    @staticmethod
    def of(
        photos: Sequence[AuditedPhoto], told_apart: Iterable[tuple[str, str]] = ()
    ) -> AuditGallery:
        """Return the gallery of ``photos``, in any order; people stand in the order first met.

        ``told_apart``: ids of two people confirmed to be two; who has no photo here
        is left out.
        """
        position: dict[str, int] = {}
        for photo in photos:
            position.setdefault(photo.employee_id, len(position))
        ordered = sorted(photos, key=lambda photo: position[photo.employee_id])
        stacked = np.stack([photo.embedding for photo in ordered]) if ordered else np.zeros((0, 1))
        return AuditGallery(
            tuple(position),
            tuple(photo.photo_id for photo in ordered),
            tuple(photo.quality for photo in ordered),
            np.ascontiguousarray(stacked, np.float32),
            np.asarray([position[photo.employee_id] for photo in ordered], np.int64),
            frozenset(
                (min(position[one], position[other]), max(position[one], position[other]))
                for one, other in told_apart
                if one in position and other in position
            ),
        )

    @property
    def photo_counts(self) -> IntArray:
        """How many photos each person has, ``(N,)``."""
        return np.bincount(self.owners, minlength=len(self.employee_ids)).astype(np.int64)

    def sums(self, used: npt.NDArray[np.bool_] | None = None) -> FloatArray:
        """Return the sum of each person's photos, or of those ``used`` ``(P,)``: ``(N, D)``."""
        total = np.zeros((len(self.employee_ids), self.embeddings.shape[1]))
        rows = np.arange(len(self.owners)) if used is None else np.flatnonzero(used)
        owners = self.owners[rows]
        starts = np.flatnonzero(np.diff(owners, prepend=-1))
        if len(starts):
            photos = self.embeddings[rows]
            total[owners[starts]] = np.add.reduceat(photos, starts, axis=0, dtype=np.float64)
        return total
