"""One transaction on the registry: what ``app.services.ports.RegistrySession`` asks for.

Reads see what is committed, each statement for itself, until the session first writes or locks;
from then on it holds the write lock: PostgreSQL's row locks at READ COMMITTED, or SQLite's one
``BEGIN IMMEDIATE``. Readers so never wait for a writer, and both databases behave alike. Who
decides on what it reads calls ``lock_employee`` first, or relies on the constraints.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from app.domain.embeddings import Embedding
from app.domain.employees import Employee, EmployeeStatus, EnrolledPhoto, NewPhoto
from app.domain.errors import EmployeeNotFoundError
from app.domain.spelling import search_key
from app.registry.conflicts import conflict_from
from app.registry.database import SQLITE, begin_immediate
from app.registry.erasure import WalErasure
from app.registry.gallery_log import write_change
from app.registry.look_alikes import insert_look_alikes
from app.registry.reader import SqlRegistryReader
from app.registry.rows import (
    PHOTO_COLUMNS,
    embedding_to_bytes,
    is_storable,
    photo_from_row,
    photo_values,
)
from app.registry.tables import (
    EMPLOYEE_ID_MAX_LENGTH,
    CentroidRow,
    EmployeeRow,
    GalleryStateRow,
    PhotoRow,
)

Clock = Callable[[], datetime]


class SqlRegistrySession(SqlRegistryReader):
    """A reader that also writes. Nothing lasts without ``commit``.

    A refused change leaves the session usable.
    """

    def __init__(self, connection: Connection, clock: Clock, wal_erasure: WalErasure) -> None:
        super().__init__(connection)
        self._clock = clock
        self._wal_erasure = wal_erasure
        self._is_sqlite = connection.dialect.name == SQLITE
        self._writing = False
        self._erased = False

    def add_employee(self, employee_id: str, full_name: str, card_number: str | None) -> Employee:
        """Create an active employee; raises ``EmployeeConflictError`` where id or card is taken.

        Raises ``ValueError`` for an id that is not of 1 to 128 characters, and for text that cannot
        be stored.
        """
        if not 1 <= len(employee_id) <= EMPLOYEE_ID_MAX_LENGTH:
            raise ValueError(f"an employee_id has 1 to {EMPLOYEE_ID_MAX_LENGTH} characters")
        _require_storable(employee_id, full_name, card_number)
        now = self._clock()
        with self._refusing_conflicts():
            key = self._connection.execute(
                insert(EmployeeRow)
                .values(
                    employee_id=employee_id,
                    full_name=full_name,
                    search_name=search_key(full_name),
                    card_number=card_number,
                    status=EmployeeStatus.ACTIVE.value,
                    created_at=now,
                    updated_at=now,
                )
                .returning(EmployeeRow.key)
            ).scalar_one()
        return self.employees_by_key([key])[key]

    def update_employee(
        self,
        employee_key: int,
        *,
        full_name: str | None = None,
        card_number: str | None = None,
        clear_card_number: bool = False,
        status: EmployeeStatus | None = None,
    ) -> Employee:
        """Change what is given; raises ``EmployeeConflictError`` where the card is taken.

        Raises ``EmployeeNotFoundError`` where the employee is gone, ``ValueError`` for text that
        cannot be stored. Clearing the card wins over setting it.
        """
        _require_storable(full_name, card_number)
        changes: dict[str, str | datetime | None] = {"updated_at": self._clock()}
        if full_name is not None:
            changes |= {"full_name": full_name, "search_name": search_key(full_name)}
        if card_number is not None or clear_card_number:
            changes["card_number"] = None if clear_card_number else card_number
        if status is not None:
            changes["status"] = status.value
        with self._refusing_conflicts():
            self._change_employee(employee_key, changes)
        return self.employees_by_key([employee_key])[employee_key]

    def delete_employee(self, employee_key: int) -> None:
        """Delete the employee with photos, embeddings and centroid; a missing one is no error."""
        self._begin_writing()
        self._connection.execute(delete(EmployeeRow).where(EmployeeRow.key == employee_key))
        self._erased = True

    def lock_employee(self, employee_key: int) -> None:
        """Keep other transactions from changing this employee until this one ends.

        Raises ``EmployeeNotFoundError`` where the employee is gone.
        """
        self._begin_writing()
        query = select(EmployeeRow.key).where(EmployeeRow.key == employee_key).with_for_update()
        if self._connection.execute(query).one_or_none() is None:
            raise self._not_found(employee_key)

    def add_photos(
        self, employee_key: int, photos: Sequence[NewPhoto], photo_ids: Sequence[str] | None = None
    ) -> list[EnrolledPhoto]:
        """Store photos, in order, under new ids unless ``photo_ids`` gives them.

        Raises ``EmployeeNotFoundError`` where the employee is gone, ``ValueError`` where the ids
        are not as many as the photos.
        """
        if not photos:
            return []
        names: Sequence[str | None] = photo_ids or [None] * len(photos)
        now = self._clock()
        self._begin_writing()
        self._change_employee(employee_key, {"updated_at": now})
        rows = self._connection.execute(
            insert(PhotoRow).returning(*PHOTO_COLUMNS, sort_by_parameter_order=True),
            [
                photo_values(employee_key, photo, now, photo_id)
                for photo, photo_id in zip(photos, names, strict=True)
            ],
        )
        return [photo_from_row(*row) for row in rows]

    def delete_photo(self, photo_key: int) -> None:
        """Delete one photo, and the centroid that was made with it; a missing one is no error.

        Until ``store_centroid`` sets a new one, the gallery uses that of the remaining photos.
        """
        self._begin_writing()
        row = self._connection.execute(
            select(PhotoRow.employee_key, PhotoRow.model_version).where(PhotoRow.key == photo_key)
        ).one_or_none()
        if row is None:
            return
        employee_key, model_version = row
        # The employee first, as everywhere: two orders of locks would be a deadlock.
        self._change_employee(employee_key, {"updated_at": self._clock()})
        self._connection.execute(delete(PhotoRow).where(PhotoRow.key == photo_key))
        self._connection.execute(
            delete(CentroidRow).where(
                CentroidRow.employee_key == employee_key,
                CentroidRow.model_version == model_version,
            )
        )
        self._erased = True

    def store_centroid(self, employee_key: int, centroid: Embedding, model_version: str) -> None:
        """Set the employee's centroid for one model version.

        Raises ``EmployeeNotFoundError`` where the employee is gone.
        """
        self.lock_employee(employee_key)
        dialect_insert = sqlite.insert if self._is_sqlite else postgresql.insert
        statement = dialect_insert(CentroidRow).values(
            employee_key=employee_key,
            model_version=model_version,
            embedding=embedding_to_bytes(centroid),
        )
        self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=[CentroidRow.employee_key, CentroidRow.model_version],
                set_={"embedding": statement.excluded.embedding},
            )
        )

    def add_look_alikes(self, employee_key: int, others: Sequence[int]) -> None:
        """Keep ``others`` as look-alikes of the employee, in both directions; again is no error.

        Raises ``EmployeeConflictError`` where one of them is gone, and ``ValueError`` for the
        employee itself.
        """
        if not others:
            return
        with self._refusing_conflicts():
            insert_look_alikes(self._connection, employee_key, others)

    def lock_gallery(self) -> None:
        """Keep other transactions from advancing the revision until this one ends.

        A caller that also locks an employee does so first: two orders of locks would be a deadlock.
        """
        self._begin_writing()
        self._connection.execute(select(GalleryStateRow.revision).with_for_update()).one()

    def advance_revision(self, employee_key: int | None = None) -> int:
        """Grow the revision by one within this transaction and return it.

        Whose entry changed is written to the log that other processes follow; None: everybody's.
        Others that advance it wait until this transaction ends, so no number is given out twice.
        """
        self._begin_writing()
        return write_change(self._connection, employee_key)

    def commit(self) -> None:
        """Make everything of this session last."""
        self._connection.commit()
        self._writing = False
        self._wal_erasure.after_commit(self._connection, erased=self._erased)
        self._erased = False

    def _begin_writing(self) -> None:
        if self._is_sqlite and not self._writing:
            begin_immediate(self._connection)
        self._writing = True

    def _change_employee(
        self, employee_key: int, changes: dict[str, str | datetime | None]
    ) -> None:
        changed = self._connection.execute(
            update(EmployeeRow)
            .where(EmployeeRow.key == employee_key)
            .values(changes)
            .returning(EmployeeRow.key)
        ).one_or_none()
        if changed is None:
            raise self._not_found(employee_key)

    def _not_found(self, employee_key: int) -> EmployeeNotFoundError:
        return EmployeeNotFoundError(self._employee_ids.get(employee_key, f"key {employee_key}"))

    @contextmanager
    def _refusing_conflicts(self) -> Iterator[None]:
        """Turn a violated constraint into ``EmployeeConflictError``, undoing only this change."""
        self._begin_writing()
        try:
            with self._connection.begin_nested():
                yield
        except IntegrityError as error:
            # Without the cause: PostgreSQL's text quotes the row.
            raise conflict_from(error) from None


def _require_storable(*texts: str | None) -> None:
    if not all(is_storable(text) for text in texts if text is not None):
        raise ValueError("a text holds NUL or half a character, which no database can store")
