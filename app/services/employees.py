"""Employees as records: list, read, change, delete; and their photos."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.employees import (
    EVERYBODY,
    Employee,
    EmployeeFilter,
    EmployeeStatus,
    EnrolledPhoto,
)
from app.domain.errors import EmployeeNotFoundError, LastPhotoError, PhotoNotFoundError
from app.domain.recognisability import Recognisability
from app.services.gallery import Gallery
from app.services.ports import Registry, RegistrySession


@dataclass(frozen=True)
class EmployeeChange:
    """What to change; ``None`` leaves a field as it is."""

    full_name: str | None = None
    card_number: str | None = None
    clear_card_number: bool = False
    status: EmployeeStatus | None = None


@dataclass(frozen=True)
class EmployeePage:
    """Some employees in the order of their enrollment; the next page starts after ``next_key``."""

    employees: Sequence[Employee]
    next_key: int | None


class Employees:
    """The use cases behind ``/v1/employees``."""

    def __init__(
        self,
        registry: Registry,
        gallery: Gallery,
        recognisability: Recognisability | None = None,
    ) -> None:
        self._registry = registry
        self._gallery = gallery
        self._recognisability = recognisability

    def page(self, after_key: int, limit: int, filters: EmployeeFilter = EVERYBODY) -> EmployeePage:
        """Return up to ``limit`` employees after ``after_key`` that pass ``filters``."""
        with self._registry.session() as session:
            found = session.list_employees(after_key, limit + 1, filters)
        more = len(found) > limit
        return EmployeePage(found[:limit], found[limit - 1].key if more else None)

    def read(self, employee_id: str) -> tuple[Employee, list[EnrolledPhoto]]:
        """Return an employee with its photos; raises ``EmployeeNotFoundError``."""
        with self._registry.session() as session:
            employee = require_employee(session, employee_id)
            return employee, self._measured(session, employee, session.list_photos(employee.key))

    def look_alikes(self, employee_id: str) -> list[str]:
        """Return the ids of who looks like this employee, in order of their enrollment.

        Raises ``EmployeeNotFoundError``.
        """
        with self._registry.session() as session:
            key = require_employee(session, employee_id).key
            alike = sorted(session.look_alikes_of([key])[key])
            people = session.employees_by_key(alike)
        return [people[other].employee_id for other in alike if other in people]

    def change(self, employee_id: str, change: EmployeeChange) -> Employee:
        """Change a record; a suspended employee leaves the index, an active one returns to it.

        Raises ``EmployeeNotFoundError``, ``EmployeeConflictError``.
        """
        with self._gallery.changing() as session:
            employee = lock_employee(session, employee_id)
            changed = session.update_employee(
                employee.key,
                full_name=change.full_name,
                card_number=change.card_number,
                clear_card_number=change.clear_card_number,
                status=change.status,
            )
            if changed.status is employee.status:
                session.commit()
            else:
                self._gallery.commit(session, changed)
        return changed

    def unenroll(self, employee_id: str) -> None:
        """Delete an employee with everything that was kept; raises ``EmployeeNotFoundError``."""
        with self._gallery.changing() as session:
            employee = lock_employee(session, employee_id)
            session.delete_employee(employee.key)
            self._gallery.commit_removal(session, employee)

    def read_photo(self, employee_id: str, photo_id: str) -> EnrolledPhoto:
        """Return one photo's record; raises ``EmployeeNotFoundError``, ``PhotoNotFoundError``."""
        with self._registry.session() as session:
            employee = require_employee(session, employee_id)
            photo = require_photo(session, employee, photo_id)
            return self._measured(session, employee, [photo])[0]

    def delete_photo(self, employee_id: str, photo_id: str) -> None:
        """Delete one photo; the centroid is that of the rest.

        Raises ``LastPhotoError`` for the only photo, and for the only one of the present model,
        without which the employee could not be recognised; ``EmployeeNotFoundError``,
        ``PhotoNotFoundError``.
        """
        with self._gallery.changing() as session:
            employee = lock_employee(session, employee_id)
            photo = require_photo(session, employee, photo_id)
            usable = self._gallery.photos.of_employee(session, employee.key)
            if employee.photo_count == 1 or [key for key, _ in usable] == [photo.key]:
                raise LastPhotoError(
                    f"this is the only photo by which {employee_id!r} can be recognised; "
                    "delete the employee instead"
                )
            session.delete_photo(photo.key)
            self._gallery.commit(session, employee)

    def _measured(
        self, session: RegistrySession, employee: Employee, photos: list[EnrolledPhoto]
    ) -> list[EnrolledPhoto]:
        """Return the photos with their recognisability by the present model, which is not stored.

        Photos of another model have none.
        """
        centres = self._recognisability
        if centres is None:
            return photos
        stored = dict(session.photo_embeddings(employee.key, self._gallery.model_version))
        return [
            dataclasses.replace(
                photo,
                quality=dataclasses.replace(
                    photo.quality, recognisability=centres.of(stored[photo.key])
                ),
            )
            if photo.key in stored and len(stored[photo.key]) == centres.centres.shape[1]
            else photo
            for photo in photos
        ]


def lock_employee(session: RegistrySession, employee_id: str) -> Employee:
    """Return the employee as it is now that no other process can change it.

    What was read before the lock may be what another process is just changing: its status, say.
    """
    session.lock_employee(require_employee(session, employee_id).key)
    return require_employee(session, employee_id)


def require_employee(session: RegistrySession, employee_id: str) -> Employee:
    """Return the employee; raises ``EmployeeNotFoundError``."""
    employee = session.find_employee(employee_id)
    if employee is None:
        raise EmployeeNotFoundError(employee_id)
    return employee


def require_photo(session: RegistrySession, employee: Employee, photo_id: str) -> EnrolledPhoto:
    """Return a photo of the employee; raises ``PhotoNotFoundError``."""
    photo = session.find_photo(employee.key, photo_id)
    if photo is None:
        raise PhotoNotFoundError(f"{employee.employee_id!r} has no photo {photo_id!r}")
    return photo
