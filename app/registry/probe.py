"""A real write and a real read, to find out whether the database would do either."""

from __future__ import annotations

import uuid
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Connection, Engine, delete, insert, select, update
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from app.domain.errors import BusyError, RegistryUnavailableError
from app.domain.storage_errors import RegistryDamagedError
from app.registry.database import SQLITE, begin_immediate
from app.registry.session import Clock
from app.registry.tables import GalleryStateRow, ProbeRow

_SQLITE_MAGIC = b"SQLite format 3\0"
#: Rows of processes that ended without deleting theirs.
_FORGOTTEN_AFTER = timedelta(days=1)


class RegistryProbe:
    """Writes to a row that is this process's alone, so that no other process is waited for."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._instance = str(uuid.uuid4())

    def run(self) -> None:
        """Write and read; raises ``RegistryUnavailableError`` by its kind, and ``BusyError``."""
        if self._engine.dialect.name == SQLITE:
            self._require_file()
        token = str(uuid.uuid4())
        try:
            with self._engine.connect() as connection:
                if self._engine.dialect.name == SQLITE:
                    begin_immediate(connection)
                self._write(connection, token)
                connection.commit()
                found = connection.execute(
                    select(ProbeRow.token).where(ProbeRow.instance == self._instance)
                ).scalar_one_or_none()
                connection.execute(select(GalleryStateRow.revision)).one()
        except PoolTimeoutError:
            raise BusyError(retry_after_seconds=1) from None
        if found != token:
            raise RegistryUnavailableError("the database does not keep what is written")

    def _write(self, connection: Connection, token: str) -> None:
        now = self._clock()
        changed = connection.execute(
            update(ProbeRow)
            .where(ProbeRow.instance == self._instance)
            .values(token=token, written_at=now)
        )
        if changed.rowcount == 0:  # the first time, or somebody put an older database back
            forgotten = delete(ProbeRow).where(ProbeRow.written_at < now - _FORGOTTEN_AFTER)
            connection.execute(forgotten)
            connection.execute(
                insert(ProbeRow).values(instance=self._instance, token=token, written_at=now)
            )

    def _require_file(self) -> None:
        """Look at the file itself: what its log still holds is read without it."""
        try:
            with Path(self._engine.url.database or "").open("rb") as file:
                start = file.read(len(_SQLITE_MAGIC))
        except FileNotFoundError:
            raise RegistryUnavailableError("the database file is gone") from None
        except OSError as error:
            raise RegistryUnavailableError(
                f"the database file cannot be opened: {error.strerror}"
            ) from error
        if start != _SQLITE_MAGIC:
            raise RegistryDamagedError("the file is no database, or it is damaged")

    def close(self) -> None:
        """Close the probe's connection; another process deletes the row when it is a day old."""
        self._engine.dispose()
