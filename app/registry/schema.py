"""Brings a database's schema to what the code expects, and tells whether it is there."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from app.registry.database import create_migration_engine, create_registry_engine

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


def upgrade_to_head(url: str) -> None:
    """Run every migration that this database has not seen, all or none of them.

    Safe to call from several processes at once: one migrates, the others wait and find it done.
    """
    with create_migration_engine(url).connect() as connection:
        command.upgrade(alembic_config(connection), "head")


def is_at_head(url: str) -> bool:
    """Tell whether this database has seen exactly the migrations that the code comes with."""
    expected = set(ScriptDirectory.from_config(alembic_config()).get_heads())
    engine = create_registry_engine(url, pool_size=1)
    try:
        with engine.connect() as connection:
            return set(MigrationContext.configure(connection).get_current_heads()) == expected
    finally:
        engine.dispose()
