"""What the use cases need of the world, as protocols; the adapters do not inherit from them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

import numpy as np
import numpy.typing as npt

from app.domain.audit.gallery import AuditPage
from app.domain.embeddings import Embedding
from app.domain.employees import (
    EVERYBODY,
    Employee,
    EmployeeFilter,
    EmployeeStatus,
    EnrolledPhoto,
    GalleryEntry,
    NewPhoto,
    StoredPerson,
)
from app.domain.faces import Detection, FaceCrop, FoundFaces, Picture
from app.domain.gallery_changes import GalleryChanges, GalleryMark
from app.domain.head_motion import HeadView
from app.domain.matching import GallerySimilarities
from app.domain.model_manifest import ModelManifest


class Vision(Protocol):
    """From bytes to aligned faces."""

    def find_faces(self, content: bytes, *, nearest: bool) -> FoundFaces:
        """Return the faces of a photo, largest first, in pixels of the picture that is with them.

        With ``nearest`` only the largest is wanted: faces far behind it may be left out. No face is
        an empty list. Raises ``PhotoError`` before it allocates too much.
        """
        ...

    def look_at_turns(self, picture: Picture, detection: Detection) -> Detection:
        """Return the face as it is seen best at any eighth of a turn; it may be the same."""
        ...

    def crop(self, picture: Picture, detection: Detection) -> FaceCrop:
        """Return the aligned crop of one face with its measured quality."""
        ...


class Embedder(Protocol):
    """From aligned crops to embeddings. Safe to call from several threads."""

    @property
    def manifest(self) -> ModelManifest:
        """What the loaded model is, with its thresholds and calibration."""
        ...

    def embed(self, crops: npt.NDArray[np.uint8]) -> list[Embedding]:
        """Return an embedding for each crop of ``(N, 3, 112, 112)`` RGB uint8."""
        ...


class LivenessTrial(Protocol):
    """One request's attempt to pass a liveness check."""

    def check(self, views: Sequence[HeadView]) -> None:
        """Return where the frames, in order, are of a living head.

        Raises ``LivenessFailedError`` naming what is amiss.
        """
        ...

    def withdraw(self) -> None:
        """End the attempt before anything was checked, so that it may be made again."""
        ...


class LivenessCheck(Protocol):
    """Whether a living head stands before the camera. Safe to call from several threads."""

    def begin(self, challenge_id: str | None) -> LivenessTrial | None:
        """Return what the frames of a request must pass; None where nothing is checked.

        Asked before the frames cost anything. Raises ``LivenessNotConfiguredError``,
        ``LivenessRequiredError``, ``ChallengesOffError`` and ``ChallengeUnknownError``.
        """
        ...


class GalleryIndex(Protocol):
    """The searchable copy of the registry. Safe to call from several threads."""

    @property
    def embedding_dim(self) -> int:
        """How many numbers each embedding in it has."""
        ...

    @property
    def revision(self) -> int:
        """The registry revision that this index reflects; -1 before the first build."""
        ...

    @property
    def size(self) -> int:
        """How many employees can be found."""
        ...

    def replace_all(self, entries: Sequence[GalleryEntry], revision: int) -> None:
        """Build the index anew and swap it in."""
        ...

    def upsert(self, entry: GalleryEntry, revision: int) -> None:
        """Add or replace one employee."""
        ...

    def remove(self, employee_key: int, revision: int) -> None:
        """Forget one employee; nothing happens where it is unknown."""
        ...

    def compare_all(self, probe: Embedding) -> GallerySimilarities:
        """Return the similarity of ``probe`` to every employee's centroid."""
        ...

    def sample_centroids(self, limit: int) -> npt.NDArray[np.float32]:
        """Return up to ``limit`` employees' centroids ``(N, D)``, spread over the gallery."""
        ...

    def closest_photos(self, probe: Embedding, employee_keys: Sequence[int]) -> dict[int, float]:
        """Return the similarity of each employee's nearest photo; unknown keys are left out."""
        ...


class RegistrySession(Protocol):
    """One transaction on the employee registry. Nothing lasts without ``commit``."""

    def find_employee(self, employee_id: str) -> Employee | None:
        """Return the employee with this id."""
        ...

    def find_employee_by_card(self, card_number: str) -> Employee | None:
        """Return the employee with this card number."""
        ...

    def employees_by_key(self, keys: Sequence[int]) -> dict[int, Employee]:
        """Return the employees with these keys; unknown keys are left out."""
        ...

    def list_employees(
        self, after_key: int, limit: int, filters: EmployeeFilter = EVERYBODY
    ) -> list[Employee]:
        """Return up to ``limit`` employees with a larger key that pass ``filters``, by key."""
        ...

    def add_employee(self, employee_id: str, full_name: str, card_number: str | None) -> Employee:
        """Create an active employee; raises ``EmployeeConflictError`` where id or card is taken."""
        ...

    def update_employee(
        self,
        employee_key: int,
        *,
        full_name: str | None = None,
        card_number: str | None = None,
        clear_card_number: bool = False,
        status: EmployeeStatus | None = None,
    ) -> Employee:
        """Change what is given; raises ``EmployeeConflictError`` where the card is taken."""
        ...

    def delete_employee(self, employee_key: int) -> None:
        """Delete the employee with photos, embeddings and centroid."""
        ...

    def add_photos(
        self, employee_key: int, photos: Sequence[NewPhoto], photo_ids: Sequence[str] | None = None
    ) -> list[EnrolledPhoto]:
        """Store photos, in order, under new ids unless ``photo_ids`` gives them."""
        ...

    def list_photos(self, employee_key: int) -> list[EnrolledPhoto]:
        """Return an employee's photos, oldest first."""
        ...

    def find_photo(self, employee_key: int, photo_id: str) -> EnrolledPhoto | None:
        """Return one photo of an employee."""
        ...

    def delete_photo(self, photo_key: int) -> None:
        """Delete one photo."""
        ...

    def photo_embeddings(
        self, employee_key: int, model_version: str
    ) -> list[tuple[int, Embedding]]:
        """Return key and embedding of an employee's photos of one model version, oldest first.

        Photos whose bytes are no embedding are left out.
        """
        ...

    def store_centroid(self, employee_key: int, centroid: Embedding, model_version: str) -> None:
        """Set the employee's centroid for one model version."""
        ...

    def gallery(
        self,
        model_version: str,
        status: EmployeeStatus = EmployeeStatus.ACTIVE,
        employee_keys: Collection[int] | None = None,
    ) -> list[StoredPerson]:
        """Return all employees of this status that have photos of this model version, by key.

        With ``employee_keys``, at most a few thousand, only those of them.
        """
        ...

    def photo_names(self, photo_keys: Sequence[int]) -> dict[int, tuple[str, str]]:
        """Return ``employee_id`` and ``photo_id`` of these photos; unknown keys are left out."""
        ...

    def add_look_alikes(self, employee_key: int, others: Sequence[int]) -> None:
        """Keep ``others`` as look-alikes of the employee, in both directions; again is no error."""
        ...

    def look_alikes_of(self, employee_keys: Sequence[int]) -> dict[int, frozenset[int]]:
        """Return for each of these employees the keys of who looks alike, which may be nobody."""
        ...

    def confirmed_pairs(self) -> list[tuple[str, str]]:
        """Return the ids of every two employees confirmed to be two."""
        ...

    def audit_page(self, model_version: str, after_key: int, limit: int) -> AuditPage:
        """Return the photos of up to ``limit`` active employees with a larger key, by key."""
        ...

    def count_active(self) -> int:
        """Return how many active employees have photos, of whatever model."""
        ...

    def revision(self) -> int:
        """Return the number that grows with every committed change of the gallery."""
        ...

    def gallery_mark(self) -> GalleryMark:
        """Return which state of the gallery is committed, or made by this transaction."""
        ...

    def changes_since(self, mark: GalleryMark) -> GalleryChanges | None:
        """Return whose entries changed since; None where the log does not tell."""
        ...

    def advance_revision(self, employee_key: int | None = None) -> int:
        """Grow the revision by one within this transaction and return it.

        ``employee_key``: whose entry changed, for those who follow; None: everybody's.
        """
        ...

    def lock_employee(self, employee_key: int) -> None:
        """Keep other transactions from changing this employee until this one ends."""
        ...

    def lock_gallery(self) -> None:
        """Keep other transactions from advancing the revision until this one ends.

        A caller that also locks an employee does so first.
        """
        ...

    def commit(self) -> None:
        """Make everything of this session last."""
        ...


class Registry(Protocol):
    """The employee registry."""

    def session(self) -> AbstractContextManager[RegistrySession]:
        """Open a transaction; what was not committed when it closes is rolled back."""
        ...

    def probe(self) -> None:
        """Really write and read; raises ``RegistryUnavailableError`` by its kind, ``BusyError``."""
        ...
