"""From what a database driver raises to the domain's errors, for both databases."""

from __future__ import annotations

import sqlite3

import psycopg
from sqlalchemy.engine import ExceptionContext

from app.domain.errors import (
    BusyError,
    FacegateError,
    RegistryDamagedError,
    RegistryFullError,
    RegistryInputOutputError,
    RegistryReadOnlyError,
    RegistrySchemaError,
    RegistryUnavailableError,
)

_RETRY_AFTER_SECONDS = 1

_FULL = "the database's disk is full"
_READ_ONLY = "the database cannot be written to"
_DISK = "the database's disk fails"
_DAMAGED = "the database is damaged"
_SCHEMA = "the database has another schema than this version of the service"
_AWAY = "the database does not answer"

#: What a lock that did not come in time looks like: lock timeout, deadlock, serialisation failure.
_BUSY_SQLSTATES = frozenset({"55P03", "40P01", "40001"})
_BUSY_SQLITE_CODES = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})

#: By primary result code: https://sqlite.org/rescode.html
_SQLITE: dict[int, tuple[type[RegistryUnavailableError], str]] = {
    sqlite3.SQLITE_FULL: (RegistryFullError, _FULL),
    sqlite3.SQLITE_READONLY: (RegistryReadOnlyError, _READ_ONLY),
    sqlite3.SQLITE_PERM: (RegistryReadOnlyError, _READ_ONLY),
    sqlite3.SQLITE_IOERR: (RegistryInputOutputError, _DISK),
    sqlite3.SQLITE_CORRUPT: (RegistryDamagedError, _DAMAGED),
    sqlite3.SQLITE_NOTADB: (RegistryDamagedError, "the file is no database, or it is damaged"),
    sqlite3.SQLITE_CANTOPEN: (RegistryUnavailableError, "the database file cannot be opened"),
    sqlite3.SQLITE_PROTOCOL: (RegistryUnavailableError, "the database file cannot be locked"),
    sqlite3.SQLITE_NOMEM: (RegistryUnavailableError, "no memory for the database"),
}
#: By the whole SQLSTATE or its class: https://www.postgresql.org/docs/current/errcodes-appendix.html
_POSTGRESQL: dict[str, tuple[type[RegistryUnavailableError], str]] = {
    "53100": (RegistryFullError, _FULL),
    "25006": (RegistryReadOnlyError, _READ_ONLY),  # a standby, or the default of the role
    "42501": (RegistryReadOnlyError, "the role may not do this in the database"),
    "58030": (RegistryInputOutputError, _DISK),
    "XX001": (RegistryDamagedError, _DAMAGED),
    "XX002": (RegistryDamagedError, _DAMAGED),
    "42P01": (RegistrySchemaError, _SCHEMA),
    "42703": (RegistrySchemaError, _SCHEMA),
    "57014": (RegistryUnavailableError, "the database took too long"),
    "53300": (RegistryUnavailableError, "the database takes no further connection"),
}


def to_domain_error(context: ExceptionContext) -> BaseException | None:
    """Return what a fault of the database is to the use cases; None where it is ours.

    After a fault of SQLite's file, connections are made anew: those that are open may still refer
    to what was there before. Of PostgreSQL's SQLAlchemy knows by itself whether they are closed.
    """
    error = context.original_exception
    found = domain_error(error)
    if isinstance(error, sqlite3.Error) and isinstance(found, RegistryUnavailableError):
        context.is_disconnect = True
    return found


def domain_error(error: BaseException | None) -> FacegateError | None:
    """Return the domain's error for one of a driver, or None for one that nobody foresaw."""
    if isinstance(error, psycopg.Error):
        return _of_postgresql(error)
    if isinstance(error, sqlite3.Error):
        return _of_sqlite(error)
    return None


def _of_postgresql(error: psycopg.Error) -> FacegateError | None:
    if error.sqlstate in _BUSY_SQLSTATES:
        return BusyError(_RETRY_AFTER_SECONDS)
    if error.sqlstate in _POSTGRESQL:
        kind, message = _POSTGRESQL[error.sqlstate]
        return kind(message)
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return RegistryUnavailableError(_AWAY)
    return None


def _of_sqlite(error: sqlite3.Error) -> FacegateError | None:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _BUSY_SQLITE_CODES:
        return BusyError(_RETRY_AFTER_SECONDS)
    if code in _SQLITE:
        kind, message = _SQLITE[code]
        return kind(message)
    # A database that somebody put in the place of ours; SQLite has no code of its own for it.
    if code == sqlite3.SQLITE_ERROR and str(error).startswith(("no such table", "no such column")):
        return RegistrySchemaError(_SCHEMA)
    return None
