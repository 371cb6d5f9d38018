"""Runs migrations: all of them in one transaction, one process at a time.

Called by Alembic, either through ``app.registry.schema`` with a connection, or from the command
line with ``-x url=...`` or ``FACEGATE_DATABASE_URL``. It leaves logging as it is.
"""

from __future__ import annotations

import os

from alembic import context
from alembic.util import CommandError
from sqlalchemy import Connection

from app.registry.database import POSTGRESQL, SQLITE, create_migration_engine
from app.registry.tables import Base

#: Any number, as long as it is always the same: "facegate" in ASCII.
ADVISORY_LOCK = 0x6661636567617465


def migrate(connection: Connection) -> None:
    """Run what Alembic was asked for on this connection."""
    with connection.begin():  # on SQLite a BEGIN IMMEDIATE
        if connection.dialect.name == POSTGRESQL:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})")
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=True,
            transactional_ddl=True,
            compare_type=True,
            compare_server_default=True,
            autogenerate_plugins=[
                "alembic.autogenerate.*",
                "alembic.ext.checkconstraint_byname",
            ],
        )
        with context.begin_transaction():
            context.run_migrations()
        if connection.dialect.name == SQLITE:
            require_intact_references(connection)


def require_intact_references(connection: Connection) -> None:
    """Raise, and so roll back, where rows refer to none: foreign keys are off while migrating."""
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if broken:
        raise CommandError(f"the migration leaves {len(broken)} rows that refer to missing ones")


def migrate_by_url() -> None:
    """Run on the database that the command line or the environment names."""
    url = context.get_x_argument(as_dictionary=True).get("url")
    if not isinstance(url, str):
        url = os.environ.get("FACEGATE_DATABASE_URL", "")
    if not url:
        raise CommandError("which database? Give -x url=... or set FACEGATE_DATABASE_URL")
    with create_migration_engine(url).connect() as connection:
        migrate(connection)


if context.is_offline_mode():
    raise CommandError("migrations run on a live database only; --sql is not supported")
given = context.config.attributes.get("connection")
if isinstance(given, Connection):
    migrate(given)
else:
    migrate_by_url()
