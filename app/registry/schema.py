"""Brings a database's schema to what the code expects, and tells whether it is there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from app.domain.errors import (
    BusyError,
    FacegateError,
    RegistrySchemaError,
    RegistryUnavailableError,
)
from app.registry.database import (
    POSTGRESQL,
    Location,
    create_migration_engine,
    create_registry_engine,
    sqlite_file,
)

MIGRATIONS_DIRECTORY = Path(__file__).resolve().parents[2] / "migrations"


def alembic_config(connection: Connection | None = None) -> Config:
    """Return Alembic's configuration without a file, so that nobody's logging is reconfigured.

    ``migrations/env.py`` runs on ``connection``, which a migration engine must have made.
    """
    config = Config()
    # Alembic expands "%" in this option.
    config.set_main_option("script_location", str(MIGRATIONS_DIRECTORY).replace("%", "%%"))
    if connection is not None:
        config.attributes["connection"] = connection
    return config


def upgrade_to_head(location: Location) -> None:
    """Run every migration that this database has not seen, all or none of them.

    Safe to call from several processes at once: one migrates, the others wait and find it done.
    Raises ``RegistryUnavailableError``, by its kind, where the database cannot be used.
    """
    with _telling_faults(), create_migration_engine(location).connect() as connection:
        _require_utf8(connection)
        _require_known_schema(connection)
        command.upgrade(alembic_config(connection), "head")


def is_at_head(location: Location) -> bool:
    """Tell whether this database exists and has seen exactly the migrations of this code."""
    file = sqlite_file(location)
    if file is not None and not file.is_file():
        return False
    engine = create_registry_engine(location, pool_size=1)
    try:
        with engine.connect() as connection:
            heads = set(MigrationContext.configure(connection).get_current_heads())
            return heads == set(_script().get_heads())
    finally:
        engine.dispose()


def _script() -> ScriptDirectory:
    return ScriptDirectory.from_config(alembic_config())


@contextmanager
def _telling_faults() -> Iterator[None]:
    """Raise a domain error for whatever keeps the schema from being made."""
    try:
        yield
    except BusyError:
        raise RegistryUnavailableError("the database is locked by another process") from None
    except FacegateError:
        raise
    except CommandError as error:
        raise RegistrySchemaError(f"the database's schema cannot be made: {error}") from error
    except SQLAlchemyError as error:
        message = str(getattr(error, "orig", None) or error).partition("\n")[0]
        raise RegistrySchemaError(f"the database's schema cannot be made: {message}") from error


def _require_utf8(connection: Connection) -> None:
    if connection.dialect.name != POSTGRESQL:
        return
    encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
    connection.rollback()
    if encoding != "UTF8":
        raise RegistrySchemaError(
            f"the PostgreSQL database is encoded in {encoding}, which cannot hold every name: "
            "create it with ENCODING 'UTF8'"
        )


def _require_known_schema(connection: Connection) -> None:
    heads = MigrationContext.configure(connection).get_current_heads()
    connection.rollback()
    known = {one.revision for one in _script().walk_revisions()}
    foreign = sorted(set(heads) - known)
    if foreign:
        raise RegistrySchemaError(
            f"the database has the schema {', '.join(foreign)}, which this version of the service "
            "does not know: start the version that made it, or restore a backup"
        )
