from __future__ import annotations

from pathlib import Path

import pytest

from tests.registry.databases import POSTGRESQL, SQLITE, empty_database


@pytest.fixture(params=[SQLITE, pytest.param(POSTGRESQL, marks=pytest.mark.postgres)])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return empty_database(str(request.param), tmp_path)
