"""Enrollment: photos of one employee in, each checked, the good ones stored or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.employees import Employee, EnrolledPhoto, NewPhoto
from app.domain.errors import (
    CardNumberDiffersError,
    EmployeeDeletedError,
    EmployeeNotFoundError,
    LookAlike,
    NameDiffersError,
)
from app.domain.faces import QualityLimits
from app.domain.photo_errors import (
    NoUsablePhotoError,
    PhotoAlreadyEnrolledError,
    PhotoError,
    PhotoFailure,
    TooManyPhotosError,
)
from app.services.employees import lock_employee, require_employee, require_photo
from app.services.enrolled_photos import EnrolledPhotos, Faces
from app.services.enrollment_guards import EnrollmentGuards
from app.services.extraction import ExtractedFace, FaceExtraction, SeveralFaces
from app.services.gallery import Gallery
from app.services.ports import Registry, RegistrySession
from app.services.sorted_faces import RepeatedPhoto, sort_faces

#: A photo as it arrived: the bytes of a picture file, or why they were not taken.
Upload = bytes | PhotoError


@dataclass(frozen=True)
class EnrollmentRequest:
    """Who to enroll or extend, from which photos.

    Without ``full_name`` the employee must exist. ``confirmed_distinct``: somebody has looked, and
    a person who looks alike is another one. ``replaces``: the photos take the place of all
    enrolled.
    """

    employee_id: str
    full_name: str | None
    card_number: str | None
    photos: Sequence[Upload]
    confirmed_distinct: bool = False
    replaces: bool = False


@dataclass(frozen=True)
class EnrolledFace:
    """A photo that was stored, by its position in the request."""

    position: int
    photo: EnrolledPhoto
    face: ExtractedFace


@dataclass(frozen=True)
class EnrollmentResult:
    """What became of a request. ``created`` tells a new employee from an extended one.

    ``look_alikes``: ids of the employees who were kept as look-alikes of this one.
    """

    employee: Employee
    created: bool
    enrolled: tuple[EnrolledFace, ...]
    failures: tuple[PhotoFailure, ...]
    look_alikes: tuple[str, ...]
    repeated: tuple[RepeatedPhoto, ...] = ()


class Enrollment:
    """The use cases behind ``POST /v1/enroll`` and the photos of an employee."""

    def __init__(
        self,
        extraction: FaceExtraction,
        registry: Registry,
        gallery: Gallery,
        guards: EnrollmentGuards,
        model_version: str,
        limits: QualityLimits,
        max_photos_per_request: int,
        max_photos_per_employee: int,
    ) -> None:
        self._extraction = extraction
        self._registry = registry
        self._gallery = gallery
        self._guards = guards
        self._model_version = model_version
        self._limits = limits
        self._max_photos_per_request = max_photos_per_request
        self._max_photos_per_employee = max_photos_per_employee

    def enroll(self, request: EnrollmentRequest) -> EnrollmentResult:
        """Create the employee or add photos to it; the same request again changes nothing.

        A photo that is enrolled already is no failure and is not stored twice. Raises
        ``NoUsablePhotoError`` where every photo fails, by itself or because it disagrees with the
        rest, ``EmployeeConflictError`` where the id belongs to another name, the card to another
        employee, or the employee was deleted meanwhile, ``FaceAlreadyEnrolledError`` where the face
        does, ``TooManyPhotosError``, and ``EmployeeNotFoundError`` where it must exist. Nothing is
        stored then.
        """
        if not 1 <= len(request.photos) <= self._max_photos_per_request:
            raise TooManyPhotosError(
                f"a request takes 1 to {self._max_photos_per_request} photos, "
                f"not {len(request.photos)}"
            )
        before = self._as_it_is(request)
        faces, failures = self._extract_all(request.photos)
        if not faces:
            raise NoUsablePhotoError(failures)
        with self._gallery.changing() as session:
            employee, created = self._find_or_create(session, request, before)
            enrolled = EnrolledPhotos.read(session, employee, self._gallery.photos)
            leaving = [photo.key for photo in enrolled.photos] if request.replaces else []
            sorted_faces = sort_faces(faces, failures, enrolled.without(leaving), self._guards)
            stored, alike = self._store(
                session, employee, sorted_faces.fresh, leaving, request.confirmed_distinct
            )
            current = session.find_employee(request.employee_id) or employee
        return EnrollmentResult(
            current,
            created,
            stored,
            sorted_faces.failures,
            tuple(one.employee_id for one in alike.values()),
            sorted_faces.all_repeated({one.position: one.photo.photo_id for one in stored}),
        )

    def replace_photo(
        self, employee_id: str, photo_id: str, upload: Upload, *, confirmed_distinct: bool = False
    ) -> EnrolledPhoto:
        """Put another photo in the place of one, under the same id, in one step.

        It must agree with the employee's other photos, not with the one that it replaces, which may
        be of somebody else. Raises ``EmployeeNotFoundError``, ``PhotoNotFoundError``,
        ``PhotoAlreadyEnrolledError`` where it repeats another of the photos, any other
        ``PhotoError``, and ``FaceAlreadyEnrolledError``.
        """
        with self._registry.session() as session:  # before the photo costs anything
            require_photo(session, require_employee(session, employee_id), photo_id)
        face = self._extract(upload)
        with self._gallery.changing() as session:
            employee = lock_employee(session, employee_id)
            replaced = require_photo(session, employee, photo_id)
            enrolled = EnrolledPhotos.read(session, employee, self._gallery.photos)
            others = enrolled.without([replaced.key])
            repeated = others.repeated_by(face)
            if repeated is not None:
                raise PhotoAlreadyEnrolledError(
                    f"{employee_id!r} has this photo already, as {repeated.photo_id!r}"
                )
            for error in self._guards.disagreeing([face.embedding], others.embeddings).values():
                raise error
            stored, _ = self._store(
                session, employee, [(0, face)], [replaced.key], confirmed_distinct, [photo_id]
            )
        return stored[0].photo

    def _as_it_is(self, request: EnrollmentRequest) -> Employee | None:
        """Return the employee before the photos are looked at, or None who is to be created."""
        with self._registry.session() as session:
            employee = session.find_employee(request.employee_id)
        if employee is None and request.full_name is None:
            raise EmployeeNotFoundError(request.employee_id)
        return employee

    def _extract_all(self, photos: Sequence[Upload]) -> tuple[Faces, tuple[PhotoFailure, ...]]:
        faces: Faces = []
        failures: list[PhotoFailure] = []
        for position, upload in enumerate(photos):
            try:
                faces.append((position, self._extract(upload)))
            except PhotoError as error:
                failures.append(PhotoFailure.of(position, error))
        return faces, tuple(failures)

    def _extract(self, upload: Upload) -> ExtractedFace:
        if isinstance(upload, PhotoError):
            raise upload
        return self._extraction.extract(upload, self._limits, SeveralFaces.REFUSE)

    def _store(
        self,
        session: RegistrySession,
        employee: Employee,
        faces: Faces,
        leaving: Sequence[int],
        confirmed_distinct: bool,
        photo_ids: Sequence[str] | None = None,
    ) -> tuple[tuple[EnrolledFace, ...], dict[int, LookAlike]]:
        """Store new photos in the place of those ``leaving``, commit, and tell who looks alike."""
        if not faces:
            session.commit()  # a card number may have come with photos that were there
            return (), {}
        staying = employee.photo_count - len(leaving)
        if staying + len(faces) > self._max_photos_per_employee:
            raise TooManyPhotosError(
                f"an employee keeps at most {self._max_photos_per_employee} photos and has "
                f"{staying} already"
            )
        alike = self._guards.require_new_face(
            session,
            employee,
            [face.embedding for _, face in faces],
            confirmed_distinct=confirmed_distinct,
        )
        for key in leaving:
            session.delete_photo(key)
        photos = session.add_photos(
            employee.key,
            [NewPhoto(face.embedding, face.quality, self._model_version) for _, face in faces],
            photo_ids,
        )
        session.add_look_alikes(employee.key, list(alike))
        self._gallery.commit(session, employee)
        stored = tuple(
            EnrolledFace(position, photo, face)
            for (position, face), photo in zip(faces, photos, strict=True)
        )
        return stored, alike

    def _find_or_create(
        self, session: RegistrySession, request: EnrollmentRequest, before: Employee | None
    ) -> tuple[Employee, bool]:
        known = session.find_employee(request.employee_id)
        if before is not None and (known is None or known.key != before.key):
            raise EmployeeDeletedError(
                f"{request.employee_id!r} was deleted while the photos were looked at"
            )
        if known is None:
            added = session.add_employee(
                request.employee_id, request.full_name or "", request.card_number
            )
            return added, True
        known = lock_employee(session, request.employee_id)
        if request.full_name is not None and known.full_name != request.full_name:
            raise NameDiffersError(
                f"{request.employee_id!r} is enrolled under another name; "
                "change the name with PATCH first"
            )
        if request.card_number is not None and request.card_number != known.card_number:
            if known.card_number is not None:
                raise CardNumberDiffersError(
                    f"{request.employee_id!r} has another card number; change it with PATCH first"
                )
            known = session.update_employee(known.key, card_number=request.card_number)
        return known, False
