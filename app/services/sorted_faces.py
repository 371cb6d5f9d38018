"""The usable photos of an enrollment, sorted: to store, there already, of somebody else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.domain.photo_errors import NoUsablePhotoError, PhotoFailure
from app.services.enrolled_photos import EnrolledPhotos, Faces, without_copies
from app.services.enrollment_guards import EnrollmentGuards
from app.services.extraction import ExtractedFace


@dataclass(frozen=True)
class RepeatedPhoto:
    """A photo of the request that was enrolled before, or stands in the request twice.

    ``photo_id`` is that of the one enrolled.
    """

    position: int
    photo_id: str
    face: ExtractedFace


@dataclass(frozen=True)
class SortedFaces:
    """Usable photos of a request: to store, there already, and what speaks against the others.

    ``copies`` of a photo to store, by position, with the position of that photo.
    """

    fresh: Faces
    repeated: tuple[RepeatedPhoto, ...]
    copies: dict[int, tuple[int, ExtractedFace]]
    failures: tuple[PhotoFailure, ...]

    def all_repeated(self, photo_ids: Mapping[int, str]) -> tuple[RepeatedPhoto, ...]:
        """Return what was repeated; ``photo_ids``: of ``fresh``, by position, once stored."""
        copies = [
            RepeatedPhoto(position, photo_ids[original], face)
            for position, (original, face) in self.copies.items()
        ]
        return tuple(sorted((*self.repeated, *copies), key=lambda one: one.position))


def sort_faces(
    faces: Faces,
    failures: tuple[PhotoFailure, ...],
    enrolled: EnrolledPhotos,
    guards: EnrollmentGuards,
) -> SortedFaces:
    """Divide the usable photos into new ones, repeated ones and photos of somebody else.

    Repeated ones count neither for nor against anybody: they are no further evidence. Raises
    ``NoUsablePhotoError`` where every photo failed.
    """
    repeated, unknown = [], []
    for position, face in faces:
        photo = enrolled.repeated_by(face)
        if photo is None:
            unknown.append((position, face))
        else:
            repeated.append(RepeatedPhoto(position, photo.photo_id, face))
    single, copies = without_copies(unknown)
    strange = {
        single[position][0]: error
        for position, error in guards.disagreeing(
            [face.embedding for _, face in single], enrolled.embeddings
        ).items()
    }
    for position, (original, _) in copies.items():
        if original in strange:
            strange[position] = strange[original]
    found = [PhotoFailure.of(position, error) for position, error in strange.items()]
    all_failures = tuple(sorted((*failures, *found), key=lambda one: one.position))
    fresh = [one for one in single if one[0] not in strange]
    if not fresh and not repeated:
        raise NoUsablePhotoError(all_failures)
    kept = {position: copy for position, copy in copies.items() if position not in strange}
    return SortedFaces(fresh, tuple(repeated), kept, all_failures)
