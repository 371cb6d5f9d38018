"""Engines for the two databases, set up so that both behave alike."""

from __future__ import annotations

import sqlite3
from typing import Protocol

import psycopg
from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, make_url
from sqlalchemy.engine import ExceptionContext

from app.domain.errors import BusyError, RegistryUnavailableError

SQLITE = "sqlite"
POSTGRESQL = "postgresql"

#: What a lock that did not come in time looks like: lock timeout, deadlock, serialisation failure.
_BUSY_SQLSTATES = frozenset({"55P03", "40P01", "40001"})
_BUSY_SQLITE_CODES = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_RETRY_AFTER_SECONDS = 1


class _Cursor(Protocol):
    def execute(self, statement: str, /) -> object: ...
    def close(self) -> None: ...


class _SqliteConnection(Protocol):
    isolation_level: str | None

    def cursor(self) -> _Cursor: ...


def parse_url(text: str) -> URL:
    """Return the database URL with its driver; ``postgres://`` is understood too.

    Raises ``ValueError`` for any other database, and for SQLite without a file: the registry must
    outlive the process and be seen by several connections.
    """
    url = make_url(text)
    backend = url.get_backend_name()
    if backend in {POSTGRESQL, "postgres"}:
        return url.set(drivername="postgresql+psycopg")
    if backend != SQLITE:
        raise ValueError(f"the registry runs on SQLite or PostgreSQL, not on {backend!r}")
    if url.database in {None, "", ":memory:"} or "mode" in url.query:
        raise ValueError("the registry needs an SQLite file, not a database in memory")
    return url.set(drivername="sqlite+pysqlite")


def create_registry_engine(
    url: str,
    *,
    pool_size: int = 8,
    max_overflow: int = 8,
    pool_timeout_seconds: float = 5.0,
    lock_timeout_seconds: float = 5.0,
    connect_timeout_seconds: int = 5,
) -> Engine:
    """Return an engine; nothing connects yet.

    A lock that does not come within ``lock_timeout_seconds`` raises ``BusyError``, a PostgreSQL
    that is away ``RegistryUnavailableError``.
    """
    parsed = parse_url(url)
    lock_timeout_ms = round(lock_timeout_seconds * 1000)
    is_sqlite = parsed.get_backend_name() == SQLITE
    connect_args: dict[str, str | int] = {}
    if not is_sqlite:
        connect_args["connect_timeout"] = connect_timeout_seconds
        if "options" not in parsed.query:
            connect_args["options"] = f"-c lock_timeout={lock_timeout_ms}"
        if "application_name" not in parsed.query:
            connect_args["application_name"] = "facegate"
    engine = create_engine(
        parsed,
        pool_size=pool_size,
        max_overflow=max_overflow,
        pool_timeout=pool_timeout_seconds,
        pool_pre_ping=not is_sqlite,
        connect_args=connect_args,
        hide_parameters=True,  # an embedding in a traceback is an embedding in a log
    )
    event.listen(engine, "handle_error", _to_domain_error)
    if is_sqlite:
        _prepare_sqlite(engine, lock_timeout_ms, foreign_keys=True)
    return engine


def create_migration_engine(url: str) -> Engine:
    """Return an engine for schema changes: one connection, one transaction around all of them.

    Foreign keys are off on SQLite, for batch mode drops and recreates tables, and with them on
    the drop would delete the rows that refer to it.
    """
    parsed = parse_url(url)
    engine = create_engine(parsed, poolclass=NullPool, hide_parameters=True)
    event.listen(engine, "handle_error", _to_domain_error)
    if parsed.get_backend_name() == SQLITE:
        _prepare_sqlite(engine, lock_timeout_ms=60_000, foreign_keys=False)
        event.listen(engine, "begin", begin_immediate)
    return engine


def begin_immediate(connection: Connection) -> None:
    """Start an SQLite transaction that may write, waiting for the lock now.

    A transaction that reads first and asks for the lock later fails at once, however long it may
    wait, where another wrote in between.
    """
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _prepare_sqlite(engine: Engine, lock_timeout_ms: int, *, foreign_keys: bool) -> None:
    pragmas = (
        f"busy_timeout = {lock_timeout_ms}",  # first: the next one may have to wait
        "journal_mode = WAL",
        "synchronous = NORMAL",
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


def _to_domain_error(context: ExceptionContext) -> BaseException | None:
    """Return what a lock that did not come, or a database that is away, is to the use cases."""
    error = context.original_exception
    if isinstance(error, psycopg.Error) and error.sqlstate in _BUSY_SQLSTATES:
        return BusyError(_RETRY_AFTER_SECONDS)
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return RegistryUnavailableError("the database does not answer")
    if isinstance(error, sqlite3.OperationalError):
        primary_code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if primary_code in _BUSY_SQLITE_CODES:
            return BusyError(_RETRY_AFTER_SECONDS)
    return None
