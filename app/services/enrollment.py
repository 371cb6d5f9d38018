"""Enrolment: photos of one employee in, each judged, the good ones stored or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.employee_errors import CardNumberDiffersError, NameDiffersError
from app.domain.employees import Employee, EnrolledPhoto, NewPhoto
from app.domain.errors import (
    NoUsablePhotoError,
    PhotoError,
    PhotoFailure,
    TooManyPhotosError,
)
from app.domain.faces import QualityLimits
from app.services.employees import require_employee
from app.services.enrollment_guards import EnrollmentGuards
from app.services.extraction import ExtractedFace, FaceExtraction, SeveralFaces
from app.services.gallery import Gallery
from app.services.ports import RegistrySession

#: A photo as it arrived: the bytes of a picture file, or why they were not taken.
Upload = bytes | PhotoError

#: Usable photos with their positions in the request.
Faces = list[tuple[int, ExtractedFace]]


@dataclass(frozen=True)
class EnrollmentRequest:
    """Whom to enrol or extend, from which photos.

    ``confirmed_distinct``: somebody has looked, and whoever looks alike is another person.
    """

    employee_id: str
    full_name: str
    card_number: str | None
    photos: Sequence[Upload]
    confirmed_distinct: bool = False


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


class Enrollment:
    """The use case behind ``POST /v1/enroll``."""

    def __init__(
        self,
        extraction: FaceExtraction,
        gallery: Gallery,
        guards: EnrollmentGuards,
        model_version: str,
        limits: QualityLimits,
        max_photos_per_request: int,
        max_photos_per_employee: int,
    ) -> None:
        self._extraction = extraction
        self._gallery = gallery
        self._guards = guards
        self._model_version = model_version
        self._limits = limits
        self._max_photos_per_request = max_photos_per_request
        self._max_photos_per_employee = max_photos_per_employee

    def enroll(self, request: EnrollmentRequest) -> EnrollmentResult:
        """Create the employee or add photos to it.

        Raises ``NoUsablePhotoError`` where every photo fails, by itself or because it disagrees
        with the rest, ``EmployeeConflictError`` where the id belongs to another name or the card to
        another employee, ``FaceAlreadyEnrolledError`` where the face does, ``TooManyPhotosError``.
        Nothing is stored then.
        """
        if not 1 <= len(request.photos) <= self._max_photos_per_request:
            raise TooManyPhotosError(
                f"a request takes 1 to {self._max_photos_per_request} photos, "
                f"not {len(request.photos)}"
            )
        faces, failures = self._extract_all(request.photos)
        if not faces:
            raise NoUsablePhotoError(failures)
        with self._gallery.changing() as session:
            employee, created = self._find_or_create(session, request)
            faces, failures = self._agreeing(session, employee, faces, failures)
            if employee.photo_count + len(faces) > self._max_photos_per_employee:
                raise TooManyPhotosError(
                    f"an employee keeps at most {self._max_photos_per_employee} photos and has "
                    f"{employee.photo_count} already"
                )
            alike = self._guards.require_new_face(
                session,
                employee,
                [face.embedding for _, face in faces],
                confirmed_distinct=request.confirmed_distinct,
            )
            stored = session.add_photos(
                employee.key,
                [NewPhoto(face.embedding, face.quality, self._model_version) for _, face in faces],
            )
            session.add_look_alikes(employee.key, list(alike))
            self._gallery.commit(session, employee)
            current = session.find_employee(request.employee_id) or employee
        enrolled = tuple(
            EnrolledFace(position, photo, face)
            for (position, face), photo in zip(faces, stored, strict=True)
        )
        look_alikes = tuple(one.employee_id for one in alike.values())
        return EnrollmentResult(current, created, enrolled, failures, look_alikes)

    def _extract_all(self, photos: Sequence[Upload]) -> tuple[Faces, tuple[PhotoFailure, ...]]:
        faces: Faces = []
        failures: list[PhotoFailure] = []
        for position, upload in enumerate(photos):
            try:
                if isinstance(upload, PhotoError):
                    raise upload
                face = self._extraction.extract(upload, self._limits, SeveralFaces.REFUSE)
            except PhotoError as error:
                failures.append(PhotoFailure.of(position, error))
            else:
                faces.append((position, face))
        return faces, tuple(failures)

    def _agreeing(
        self,
        session: RegistrySession,
        employee: Employee,
        faces: Faces,
        failures: tuple[PhotoFailure, ...],
    ) -> tuple[Faces, tuple[PhotoFailure, ...]]:
        """Move the photos of somebody else from ``faces`` to ``failures``.

        Raises ``NoUsablePhotoError`` where none is left.
        """
        embeddings = [face.embedding for _, face in faces]
        strange = self._guards.disagreeing(session, employee, embeddings)
        found = [PhotoFailure.of(faces[place][0], error) for place, error in strange.items()]
        all_failures = tuple(sorted((*failures, *found), key=lambda one: one.position))
        agreeing = [one for place, one in enumerate(faces) if place not in strange]
        if not agreeing:
            raise NoUsablePhotoError(all_failures)
        return agreeing, all_failures

    def _find_or_create(
        self, session: RegistrySession, request: EnrollmentRequest
    ) -> tuple[Employee, bool]:
        known = session.find_employee(request.employee_id)
        if known is None:
            added = session.add_employee(
                request.employee_id, request.full_name, request.card_number
            )
            return added, True
        session.lock_employee(known.key)
        known = require_employee(session, request.employee_id)  # as it is now that it cannot change
        if known.full_name != request.full_name:
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
