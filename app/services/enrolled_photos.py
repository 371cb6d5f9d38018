"""The photos of one employee as an enrollment compares new ones with them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from app.domain.embeddings import Embedding
from app.domain.employees import Employee, EnrolledPhoto
from app.domain.repeats import SeenPhoto, is_repeat
from app.services.extraction import ExtractedFace
from app.services.ports import RegistrySession
from app.services.usable_photos import UsablePhotos

#: Usable photos with their positions in the request.
Faces = list[tuple[int, ExtractedFace]]


@dataclass(frozen=True)
class EnrolledPhotos:
    """An employee's photos, of whatever model, and the embeddings by key of those that count."""

    photos: tuple[EnrolledPhoto, ...]
    by_key: dict[int, Embedding]

    @staticmethod
    def read(session: RegistrySession, employee: Employee, usable: UsablePhotos) -> EnrolledPhotos:
        """Return what the registry holds of an employee."""
        return EnrolledPhotos(
            tuple(session.list_photos(employee.key)),
            dict(usable.of_employee(session, employee.key)),
        )

    @property
    def embeddings(self) -> list[Embedding]:
        """The embeddings of the photos that count."""
        return [self.by_key[photo.key] for photo in self.photos if photo.key in self.by_key]

    def without(self, keys: Collection[int]) -> EnrolledPhotos:
        """Return the photos that stay when those with these keys leave."""
        left = tuple(photo for photo in self.photos if photo.key not in keys)
        return EnrolledPhotos(left, self.by_key)

    def repeated_by(self, face: ExtractedFace) -> EnrolledPhoto | None:
        """Return the photo that counts and that ``face`` comes from, if any."""
        seen = SeenPhoto(face.embedding, face.quality)
        for photo in self.photos:
            embedding = self.by_key.get(photo.key)
            if embedding is not None and is_repeat(seen, SeenPhoto(embedding, photo.quality)):
                return photo
        return None


def without_copies(faces: Faces) -> tuple[Faces, dict[int, tuple[int, ExtractedFace]]]:
    """Return each picture once, and the others by position with the position of the first."""
    single: Faces = []
    copies: dict[int, tuple[int, ExtractedFace]] = {}
    for position, face in faces:
        seen = SeenPhoto(face.embedding, face.quality)
        original = next(
            (
                earlier
                for earlier, other in single
                if is_repeat(seen, SeenPhoto(other.embedding, other.quality))
            ),
            None,
        )
        if original is None:
            single.append((position, face))
        else:
            copies[position] = (original, face)
    return single, copies
