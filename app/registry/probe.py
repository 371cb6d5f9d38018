"""A real write and a real read, to find out whether the database would do either."""

from __future__ import annotations

import os
import uuid
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Connection, Engine, delete, insert, select, update
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from app.domain.errors import BusyError, RegistryDamagedError, RegistryUnavailableError
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
        #: By device and inode. Never closed while the process has connections: closing any
        #: descriptor of a file drops every lock that the process holds on it (POSIX; "How To
        #: Corrupt An SQLite Database File", 2.2), and another process would then take itself for
        #: the only one and delete the write-ahead log under this one.
        self._files: dict[tuple[int, int], int] = {}

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
        path = Path(self._engine.url.database or "")
        try:
            found = path.stat()
            identity = found.st_dev, found.st_ino
            if identity not in self._files:
                self._files[identity] = os.open(path, os.O_RDONLY)
            start = os.pread(self._files[identity], len(_SQLITE_MAGIC), 0)
        except FileNotFoundError:
            raise RegistryUnavailableError("the database file is gone") from None
        except OSError as error:
            raise RegistryUnavailableError(
                f"the database file cannot be opened: {error.strerror}"
            ) from error
        if start != _SQLITE_MAGIC:
            raise RegistryDamagedError("the file is no database, or it is damaged")

    def close(self) -> None:
        """Close the probe's connection, after all others; another process deletes its old row."""
        self._engine.dispose()
        for descriptor in self._files.values():
            os.close(descriptor)
        self._files.clear()
