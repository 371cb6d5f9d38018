from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from app.registry.database import create_registry_engine
from app.registry.repository import SqlRegistry
from app.registry.timeouts import DatabaseTimeouts
from tests.registry.databases import POSTGRESQL, SQLITE, migrated_database


@pytest.fixture(params=[SQLITE, pytest.param(POSTGRESQL, marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return migrated_database(str(request.param), tmp_path)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    # On a machine that does much else, threads wait long for each other.
    engine = create_registry_engine(
        database_url, DatabaseTimeouts(lock=60, statement=60, answer=70)
    )
    yield engine
    engine.dispose()


@pytest.fixture
def registry(engine: Engine) -> SqlRegistry:
    return SqlRegistry(engine)
