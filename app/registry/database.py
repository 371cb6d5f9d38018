"""Engines for the two databases, set up so that both behave alike."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from sqlalchemy import (
    URL,
    Connection,
    Dialect,
    Engine,
    NullPool,
    Pool,
    QueuePool,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.exc import ArgumentError, InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry

from app.domain.errors import RegistryUnavailableError
from app.registry.bounded_connection import BoundedConnection
from app.registry.faults import to_domain_error
from app.registry.timeouts import AT_START, IN_SERVICE, OF_A_PROBE, DatabaseTimeouts

SQLITE = "sqlite"
POSTGRESQL = "postgresql"

#: A database: the file of an SQLite one, or the URL of any.
Location = Path | str

_IDENTITY = "facegate_file"  # device and inode of the file that a connection has open
_LOG_IDENTITY = "facegate_log"  # those of its write-ahead log


class _Cursor(Protocol):
    def execute(self, statement: str, /) -> object: ...
    def close(self) -> None: ...


class _SqliteConnection(Protocol):
    isolation_level: str | None

    def cursor(self) -> _Cursor: ...


def parse_url(location: Location) -> URL:
    """Return the database URL with its driver; ``postgres://`` is understood too.

    Raises ``ValueError`` for any other database, and for SQLite without a file: the registry must
    outlive the process and be seen by several connections. No error quotes the URL, for it may hold
    a password.
    """
    if isinstance(location, Path):  # a URL could not say "?" in the name of a folder
        return URL.create("sqlite+pysqlite", database=str(location.resolve()))
    try:
        url = make_url(location)
        backend = url.get_backend_name()
    except (ArgumentError, ValueError):
        hint = ", without jdbc: in front" if location.startswith("jdbc:") else ""
        raise ValueError(
            "FACEGATE_DATABASE_URL is no database URL: write "
            f"postgresql+psycopg://USER:PASSWORD@HOST:5432/DATABASE{hint}"
        ) from None
    if backend in {POSTGRESQL, "postgres"}:
        return url.set(drivername="postgresql+psycopg")
    if backend != SQLITE:
        raise ValueError(f"the registry runs on SQLite or PostgreSQL, not on {backend!r}")
    file = url.database or ""
    if file in {"", ":memory:"} or file.startswith("file:") or "mode" in url.query:
        raise ValueError("the registry needs the path of an SQLite file, not a database in memory")
    return url.set(drivername="sqlite+pysqlite")


def with_password(url: str, password: str) -> str:
    """Return the URL with this password, unless it has one; raises as ``parse_url`` does."""
    parsed = parse_url(url)
    if parsed.get_backend_name() == SQLITE or parsed.password is not None:
        return url
    return parsed.set(password=password).render_as_string(hide_password=False)


def sqlite_file(location: Location) -> Path | None:
    """Return the file of an SQLite database; None for another. Raises as ``parse_url`` does."""
    url = parse_url(location)
    return Path(url.database or "") if url.get_backend_name() == SQLITE else None


def create_registry_engine(
    location: Location,
    timeouts: DatabaseTimeouts = IN_SERVICE,
    *,
    pool_size: int = 8,
    max_overflow: int = 8,
) -> Engine:
    """Return an engine for a database that exists; nothing connects yet.

    A lock that does not come in time raises ``BusyError``, a database that is away
    ``RegistryUnavailableError``; an SQLite file that is missing is not made anew.
    """
    engine = _engine(
        parse_url(location),
        timeouts,
        pool_size=pool_size,
        max_overflow=max_overflow,
        pool_timeout=timeouts.pool,
    )
    if engine.dialect.name == SQLITE:
        _open_sqlite_files(engine, "rw")
        _follow_sqlite_file(engine)
        _prepare_sqlite(engine, timeouts, foreign_keys=True)
    return engine


def create_probe_engine(location: Location) -> Engine:
    """Return an engine for probes, which tell within about 2 s.

    A probe of SQLite opens the file anew each time: what is open and cached would still answer
    when the file is damaged or gone. One of PostgreSQL keeps a connection of its own, so that it
    waits for no request and takes no further place at the server each time.
    """
    if sqlite_file(location) is None:
        return create_registry_engine(location, OF_A_PROBE, pool_size=1, max_overflow=0)
    engine = _engine(parse_url(location), OF_A_PROBE, poolclass=NullPool)
    _open_sqlite_files(engine, "rw")
    _prepare_sqlite(engine, OF_A_PROBE, foreign_keys=True)
    return engine


def create_migration_engine(location: Location) -> Engine:
    """Return an engine for schema changes: one connection, one transaction around all of them.

    Foreign keys are off on SQLite, for batch mode drops and recreates tables, and with them on
    the drop would delete the rows that refer to it.
    """
    engine = _engine(parse_url(location), AT_START, poolclass=NullPool)
    if engine.dialect.name == SQLITE:
        _open_sqlite_files(engine, "rwc")
        _prepare_sqlite(engine, AT_START, foreign_keys=False)
        event.listen(engine, "begin", begin_immediate)
    return engine


def begin_immediate(connection: Connection) -> None:
    """Start an SQLite transaction that may write, waiting for the lock now.

    A transaction that reads first and asks for the lock later fails at once, however long it may
    wait, where another wrote in between.
    """
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _engine(
    url: URL,
    timeouts: DatabaseTimeouts,
    poolclass: type[Pool] = QueuePool,
    **pool: float,
) -> Engine:
    is_sqlite = url.get_backend_name() == SQLITE
    engine = create_engine(
        url,
        poolclass=poolclass,
        pool_pre_ping=not is_sqlite,
        connect_args={} if is_sqlite else _postgresql_arguments(url, timeouts),
        hide_parameters=True,  # an embedding in a traceback is an embedding in a log
        **pool,
    )
    event.listen(engine, "handle_error", to_domain_error)
    if not is_sqlite:
        _bound_waits(engine, timeouts)
    return engine


def _postgresql_arguments(url: URL, timeouts: DatabaseTimeouts) -> dict[str, int | str]:
    """Return what the URL does not say for itself; its own ``options`` count after ours."""
    ours = {
        **timeouts.postgresql(),
        "application_name": "facegate",
        # Without it a database of another encoding answers in bytes instead of text.
        "client_encoding": "utf8",
    }
    arguments = {name: value for name, value in ours.items() if name not in url.query}
    if "options" in url.query:
        arguments["options"] = f"{ours['options']} {url.query['options']}"
    return arguments


def _bound_waits(engine: Engine, timeouts: DatabaseTimeouts) -> None:
    def connect(
        _dialect: Dialect,
        _entry: ConnectionPoolEntry,
        arguments: Sequence[str],
        options: dict[str, object],
    ) -> object:
        connection = BoundedConnection.connect(*arguments, **options)  # type: ignore[arg-type]
        connection.answer_seconds = timeouts.answer
        return connection

    event.listen(engine, "do_connect", connect)


def _open_sqlite_files(engine: Engine, mode: str) -> None:
    """Open files in ``mode``: ``rwc`` makes one that is missing, ``rw`` does not.

    A registry that was deleted must not come back empty, as if nobody had ever been enrolled.
    """

    def connect(
        _dialect: Dialect,
        _entry: ConnectionPoolEntry,
        arguments: Sequence[str],
        options: dict[str, bool],
    ) -> sqlite3.Connection:
        uri = f"file:{quote(arguments[0])}?mode={mode}"
        return sqlite3.connect(uri, uri=True, check_same_thread=options["check_same_thread"])

    event.listen(engine, "do_connect", connect)


def _follow_sqlite_file(engine: Engine) -> None:
    """Give up connections to a file, or to a log of it, that is no longer the one of that name.

    What they write would be lost with the file that was moved away or deleted.
    """
    path = engine.url.database or ""
    log = f"{path}-wal"

    def note(_connection: object, entry: ConnectionPoolEntry) -> None:
        entry.info[_IDENTITY] = _identity(path)

    def compare(_connection: object, entry: ConnectionPoolEntry, _proxy: object) -> None:
        present = _identity(path)
        if present is None:
            raise RegistryUnavailableError("the database file is gone")
        if entry.info.get(_IDENTITY) != present:
            raise InvalidatePoolError("another file took the place of the database")
        used = entry.info.get(_LOG_IDENTITY)
        if used is not None and used != _identity(log):
            raise InvalidatePoolError("the database's write-ahead log was deleted or replaced")

    def note_log(_connection: object, entry: ConnectionPoolEntry) -> None:
        entry.info[_LOG_IDENTITY] = _identity(log)  # it is there once the database was used

    event.listen(engine, "checkin", note_log)
    event.listen(engine, "connect", note)
    event.listen(engine, "checkout", compare)


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116  for every checkout: without a Path's detours
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _prepare_sqlite(engine: Engine, timeouts: DatabaseTimeouts, *, foreign_keys: bool) -> None:
    pragmas = (
        f"busy_timeout = {round(timeouts.lock * 1000)}",  # first: the next one may have to wait
        "journal_mode = WAL",
        "synchronous = FULL",  # what was answered as done survives a power cut
        f"foreign_keys = {'ON' if foreign_keys else 'OFF'}",
        "secure_delete = ON",  # deleted embeddings are overwritten with zeros
        "temp_store = MEMORY",  # and sorted ones never touch another file
    )

    def set_up(connection: _SqliteConnection, _record: object) -> None:
        connection.isolation_level = None  # the driver begins nothing behind our back
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    event.listen(engine, "connect", set_up)
