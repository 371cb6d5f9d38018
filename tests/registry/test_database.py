from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from app.registry.database import create_registry_engine, parse_url
from app.registry.timeouts import DatabaseTimeouts
from tests.registry.databases import SQLITE, migrated_database


@pytest.mark.parametrize(
    "url",
    [
        "postgres://user:secret@host/name",
        "postgresql://user:secret@host/name",
        "postgresql+psycopg://user:secret@host/name",
        "postgresql+psycopg2://user:secret@host/name",
    ],
)
def test_every_spelling_of_postgresql_uses_psycopg_3(url: str) -> None:
    parsed = parse_url(url)
    assert parsed.drivername == "postgresql+psycopg"
    assert (parsed.username, parsed.password, parsed.host) == ("user", "secret", "host")
    assert "secret" not in str(parsed)


@pytest.mark.parametrize(
    "url",
    ["sqlite://", "sqlite:///:memory:", "sqlite:///file:x?mode=memory&uri=true", "mysql://h/n"],
)
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="SQLite"):
        parse_url(url)


def test_every_sqlite_connection_is_set_up(tmp_path: Path) -> None:
    engine = create_registry_engine(migrated_database(SQLITE, tmp_path), DatabaseTimeouts(lock=1.5))
    expected = {
        "journal_mode": "wal",
        "foreign_keys": 1,
        "busy_timeout": 1500,
        "synchronous": 2,
        "secure_delete": 1,
        "temp_store": 2,
    }
    with engine.connect() as first, engine.connect() as second:
        for connection in (first, second):
            for pragma, value in expected.items():
                assert connection.exec_driver_sql(f"PRAGMA {pragma}").scalar_one() == value, pragma
    engine.dispose()


def test_an_error_does_not_quote_what_was_to_be_stored(engine: Engine) -> None:
    with engine.connect() as connection, pytest.raises(SQLAlchemyError) as caught:
        connection.execute(text("SELECT unknown_function(:value)"), {"value": "biometric"})
    assert "biometric" not in str(caught.value)
