"""What can be read of the registry; each statement sees what is committed when it starts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache

from sqlalchemy import Connection, Select, bindparam, exists, func, select

from app.domain.audit.gallery import AuditPage
from app.domain.embeddings import Embedding
from app.domain.employees import (
    EVERYBODY,
    Employee,
    EmployeeFilter,
    EmployeeStatus,
    EnrolledPhoto,
    StoredPerson,
)
from app.domain.gallery_changes import GalleryChanges, GalleryMark
from app.registry.audited import read_audit_page
from app.registry.gallery import read_gallery
from app.registry.gallery_log import read_changes, read_mark
from app.registry.look_alikes import read_confirmed_pairs, read_look_alikes
from app.registry.rows import (
    PHOTO_COLUMNS,
    EmployeeColumns,
    employee_from_row,
    is_storable,
    photo_from_row,
    readable,
    select_employees,
)
from app.registry.tables import EmployeeRow, PhotoRow

#: SQLite takes 32,766 parameters a statement, PostgreSQL 65,535.
_KEYS_PER_STATEMENT = 10_000


class SqlRegistryReader:
    """The reading half of a registry session."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        # What errors about a key can call the employee, once it is gone.
        self._employee_ids: dict[int, str] = {}

    def find_employee(self, employee_id: str) -> Employee | None:
        """Return the employee with this id."""
        if not is_storable(employee_id):
            return None
        query = select_employees().where(EmployeeRow.employee_id == employee_id)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else self._employee(row)

    def find_employee_by_card(self, card_number: str) -> Employee | None:
        """Return the employee with this card number."""
        if not is_storable(card_number):
            return None
        query = select_employees().where(EmployeeRow.card_number == card_number)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else self._employee(row)

    def employees_by_key(self, keys: Sequence[int]) -> dict[int, Employee]:
        """Return the employees with these keys; unknown keys are left out."""
        found = {}
        for start in range(0, len(keys), _KEYS_PER_STATEMENT):
            some = keys[start : start + _KEYS_PER_STATEMENT]
            for row in self._connection.execute(_employees_of(), {"keys": some}):
                found[row[0]] = self._employee(row)
        return found

    def count_active(self) -> int:
        """Return how many active employees have photos, of whatever model."""
        query = select(func.count()).where(
            EmployeeRow.status == EmployeeStatus.ACTIVE.value,
            exists().where(PhotoRow.employee_key == EmployeeRow.key),
        )
        return self._connection.execute(query).scalar_one()

    def list_employees(
        self, after_key: int, limit: int, filters: EmployeeFilter = EVERYBODY
    ) -> list[Employee]:
        """Return up to ``limit`` employees with a larger key that pass ``filters``, by key."""
        texts = (filters.card_number or "", *filters.name_words)
        if not all(is_storable(text) for text in texts):
            return []
        query = select_employees().where(
            EmployeeRow.key > after_key,
            *(EmployeeRow.search_name.contains(w, autoescape=True) for w in filters.name_words),
        )
        if filters.card_number is not None:
            query = query.where(EmployeeRow.card_number == filters.card_number)
        query = query.order_by(EmployeeRow.key).limit(limit)
        return [self._employee(row) for row in self._connection.execute(query)]

    def list_photos(self, employee_key: int) -> list[EnrolledPhoto]:
        """Return an employee's photos, oldest first."""
        query = (
            select(*PHOTO_COLUMNS)
            .where(PhotoRow.employee_key == employee_key)
            .order_by(PhotoRow.key)
        )
        return [photo_from_row(*row) for row in self._connection.execute(query)]

    def find_photo(self, employee_key: int, photo_id: str) -> EnrolledPhoto | None:
        """Return one photo of an employee."""
        if not is_storable(photo_id):
            return None
        query = select(*PHOTO_COLUMNS).where(
            PhotoRow.employee_key == employee_key, PhotoRow.photo_id == photo_id
        )
        row = self._connection.execute(query).one_or_none()
        return None if row is None else photo_from_row(*row)

    def photo_embeddings(
        self, employee_key: int, model_version: str
    ) -> list[tuple[int, Embedding]]:
        """Return key and embedding of an employee's photos of one model version, oldest first.

        Photos whose bytes are no embedding are left out; ``gallery`` names them.
        """
        query = (
            select(PhotoRow.key, PhotoRow.embedding)
            .where(PhotoRow.employee_key == employee_key, PhotoRow.model_version == model_version)
            .order_by(PhotoRow.key)
        )
        return list(readable(self._connection.execute(query)))

    def photo_names(self, photo_keys: Sequence[int]) -> dict[int, tuple[str, str]]:
        """Return ``employee_id`` and ``photo_id`` of these photos; unknown keys are left out."""
        names = {}
        for start in range(0, len(photo_keys), _KEYS_PER_STATEMENT):
            some = photo_keys[start : start + _KEYS_PER_STATEMENT]
            query = (
                select(PhotoRow.key, EmployeeRow.employee_id, PhotoRow.photo_id)
                .join(EmployeeRow, EmployeeRow.key == PhotoRow.employee_key)
                .where(PhotoRow.key.in_(some))
            )
            for key, employee_id, photo_id in self._connection.execute(query):
                names[key] = (employee_id, photo_id)
        return names

    def gallery(
        self,
        model_version: str,
        status: EmployeeStatus = EmployeeStatus.ACTIVE,
        employee_keys: Collection[int] | None = None,
    ) -> list[StoredPerson]:
        """Return all employees of this status that have photos of this model version, by key.

        With ``employee_keys``, at most a few thousand, only those of them.
        """
        return list(read_gallery(self._connection, model_version, status, employee_keys))

    def look_alikes_of(self, employee_keys: Sequence[int]) -> dict[int, frozenset[int]]:
        """Return for each of these employees the keys of who looks alike, which may be nobody."""
        return read_look_alikes(self._connection, employee_keys)

    def confirmed_pairs(self) -> list[tuple[str, str]]:
        """Return the ids of every two employees confirmed to be two."""
        return read_confirmed_pairs(self._connection)

    def audit_page(self, model_version: str, after_key: int, limit: int) -> AuditPage:
        """Return the photos of up to ``limit`` active employees with a larger key, by key."""
        return read_audit_page(self._connection, model_version, after_key, limit)

    def revision(self) -> int:
        """Return the number that grows with every committed change of the gallery."""
        return self.gallery_mark().revision

    def gallery_mark(self) -> GalleryMark:
        """Return which state of the gallery is committed, or made by this transaction."""
        return read_mark(self._connection)

    def changes_since(self, mark: GalleryMark) -> GalleryChanges | None:
        """Return whose entries changed since; None where the log does not tell."""
        return read_changes(self._connection, mark)

    def _employee(self, row: EmployeeColumns) -> Employee:
        employee = employee_from_row(row)
        self._employee_ids[employee.key] = employee.employee_id
        return employee


@cache
def _employees_of() -> Select[int, str, str, str | None, str, int, datetime, datetime]:
    """Return the statement for ``keys``, made once: making it costs a door more than running it."""
    return select_employees().where(EmployeeRow.key.in_(bindparam("keys", expanding=True)))
