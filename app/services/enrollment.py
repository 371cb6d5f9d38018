"""Enrolment: photos of one employee in, each judged by itself, all stored or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.employees import Employee, EnrolledPhoto, NewPhoto
from app.domain.errors import (
    EmployeeConflictError,
    NoUsablePhotoError,
    PhotoError,
    PhotoFailure,
    TooManyPhotosError,
)
from app.domain.faces import QualityLimits
from app.services.employees import require_employee
from app.services.extraction import ExtractedFace, FaceExtraction, SeveralFaces
from app.services.gallery import Gallery
from app.services.ports import RegistrySession

#: A photo as it arrived: the bytes of a picture file, or why they were not taken.
Upload = bytes | PhotoError


@dataclass(frozen=True)
class EnrollmentRequest:
    """Whom to enrol or extend, from which photos."""

    employee_id: str
    full_name: str
    card_number: str | None
    photos: Sequence[Upload]


@dataclass(frozen=True)
class EnrolledFace:
    """A photo that was stored, by its position in the request."""

    position: int
    photo: EnrolledPhoto
    face: ExtractedFace


@dataclass(frozen=True)
class EnrollmentResult:
    """What became of a request. ``created`` tells a new employee from an extended one."""

    employee: Employee
    created: bool
    enrolled: tuple[EnrolledFace, ...]
    failures: tuple[PhotoFailure, ...]


class Enrollment:
    """The use case behind ``POST /v1/enroll``."""

    def __init__(
        self,
        extraction: FaceExtraction,
        gallery: Gallery,
        model_version: str,
        limits: QualityLimits,
        max_photos_per_request: int,
        max_photos_per_employee: int,
    ) -> None:
        self._extraction = extraction
        self._gallery = gallery
        self._model_version = model_version
        self._limits = limits
        self._max_photos_per_request = max_photos_per_request
        self._max_photos_per_employee = max_photos_per_employee

    def enroll(self, request: EnrollmentRequest) -> EnrollmentResult:
        """Create the employee or add photos to it.

        Raises ``NoUsablePhotoError`` where every photo fails, ``EmployeeConflictError`` where the
        id belongs to another name or the card to another employee, ``TooManyPhotosError``. Nothing
        is stored then.
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
            if employee.photo_count + len(faces) > self._max_photos_per_employee:
                raise TooManyPhotosError(
                    f"an employee keeps at most {self._max_photos_per_employee} photos and has "
                    f"{employee.photo_count} already"
                )
            stored = session.add_photos(
                employee.key,
                [NewPhoto(face.embedding, face.quality, self._model_version) for _, face in faces],
            )
            self._gallery.commit(session, employee)
            current = session.find_employee(request.employee_id) or employee
        enrolled = tuple(
            EnrolledFace(position, photo, face)
            for (position, face), photo in zip(faces, stored, strict=True)
        )
        return EnrollmentResult(current, created, enrolled, failures)

    def _extract_all(
        self, photos: Sequence[Upload]
    ) -> tuple[list[tuple[int, ExtractedFace]], tuple[PhotoFailure, ...]]:
        faces: list[tuple[int, ExtractedFace]] = []
        failures: list[PhotoFailure] = []
        for position, upload in enumerate(photos):
            try:
                if isinstance(upload, PhotoError):
                    raise upload
                face = self._extraction.extract(upload, self._limits, SeveralFaces.REFUSE)
            except PhotoError as error:
                failures.append(PhotoFailure(position, error.code, str(error)))
            else:
                faces.append((position, face))
        return faces, tuple(failures)

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
            raise EmployeeConflictError(
                f"{request.employee_id!r} is enrolled under another name; "
                "change the name with PATCH first"
            )
        if request.card_number is not None and request.card_number != known.card_number:
            if known.card_number is not None:
                raise EmployeeConflictError(
                    f"{request.employee_id!r} has another card number; change it with PATCH first"
                )
            known = session.update_employee(known.key, card_number=request.card_number)
        return known, False
