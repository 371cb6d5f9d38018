"""Which stored photos may be compared with a face; the others are named, and why."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from app.domain.embeddings import Embedding, centroid
from app.domain.employees import EmployeeStatus, GalleryEntry, LeftOut, StoredPerson
from app.services.ports import RegistrySession

#: Says why a stored photo with this embedding must not be compared with anybody; None: it may.
PhotoCheck = Callable[[Embedding], str | None]

Photos = Sequence[tuple[int, Embedding]]


@dataclass(frozen=True)
class UsableGallery:
    """Everybody who can be found, by key, and what was left out."""

    entries: tuple[GalleryEntry, ...]
    left_out: tuple[LeftOut, ...]


class UsablePhotos:
    """The one place that says which stored photos of a model count.

    A photo counts where its bytes are an embedding of the model's length and none of ``checks``
    speaks against it. One row that is damaged must neither stop a start nor fail a search.
    """

    def __init__(
        self, model_version: str, embedding_dim: int, checks: Sequence[PhotoCheck]
    ) -> None:
        self._model_version = model_version
        self._embedding_dim = embedding_dim
        self._checks = checks

    def of_employee(
        self, session: RegistrySession, employee_key: int
    ) -> list[tuple[int, Embedding]]:
        """Return key and embedding of an employee's photos that count, oldest first."""
        stored = session.photo_embeddings(employee_key, self._model_version)
        return [one for one in stored if self._objection(one[1]) is None]

    def gallery(
        self,
        session: RegistrySession,
        status: EmployeeStatus = EmployeeStatus.ACTIVE,
        employee_keys: Collection[int] | None = None,
    ) -> UsableGallery:
        """Return all employees of this status who have a photo that counts, and what does not.

        With ``employee_keys`` only those of them.
        """
        entries: list[GalleryEntry] = []
        refused: list[tuple[int, int, str]] = []
        cancelled: list[int] = []
        for person in session.gallery(self._model_version, status, employee_keys):
            photos, reasons = self._sorted(person)
            refused += [(person.employee_key, key, reason) for key, reason in reasons]
            if not photos:
                continue
            middle = self._centroid(person, photos)
            if middle is None:
                cancelled.append(person.employee_key)
            else:
                entries.append(GalleryEntry(person.employee_key, middle, tuple(photos)))
        return UsableGallery(tuple(entries), _named(session, refused, cancelled))

    def _sorted(self, person: StoredPerson) -> tuple[Photos, list[tuple[int, str]]]:
        photos, reasons = [], list(person.damaged)
        for key, embedding in person.photos:
            objection = self._objection(embedding)
            if objection is None:
                photos.append((key, embedding))
            else:
                reasons.append((key, objection))
        return photos, reasons

    def _objection(self, embedding: Embedding) -> str | None:
        if len(embedding) != self._embedding_dim:
            return f"an embedding of {len(embedding)} numbers, not of {self._embedding_dim}"
        return next((reason for check in self._checks if (reason := check(embedding))), None)

    def _centroid(self, person: StoredPerson, photos: Photos) -> Embedding | None:
        """Return the stored centroid where it is of these photos, else theirs, if there is one."""
        stored = person.centroid
        whole = len(photos) == len(person.photos) + len(person.damaged)
        if whole and stored is not None and len(stored) == self._embedding_dim:
            return stored
        return centroid_of(photos)


def centroid_of(photos: Photos) -> Embedding | None:
    """Return the mean direction of these photos; None where they cancel out."""
    try:
        return centroid([embedding for _, embedding in photos])
    except ValueError:
        return None


def _named(
    session: RegistrySession, refused: Iterable[tuple[int, int, str]], cancelled: Sequence[int]
) -> tuple[LeftOut, ...]:
    """Return what was left out by the names that an administrator knows."""
    photos = list(refused)
    names = session.photo_names([photo_key for _, photo_key, _ in photos])
    found = [
        LeftOut(employee_key, *names[photo_key], reason)
        for employee_key, photo_key, reason in photos
        if photo_key in names  # deleted since it was read
    ]
    people = session.employees_by_key(cancelled)
    found += [
        LeftOut(key, people[key].employee_id, None, "the photos cancel out: no common direction")
        for key in cancelled
        if key in people
    ]
    return tuple(found)
