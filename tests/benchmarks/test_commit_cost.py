"""What it costs that an acknowledged change is on the disk: SQLite with synchronous=FULL."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import pytest
from sqlalchemy import event

from app.registry.database import create_registry_engine
from app.registry.repository import SqlRegistry
from tests.registry.builders import new_photo
from tests.registry.databases import SQLITE, migrated_database

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(300)]

ROUNDS = 100


def median_enrollment_ms(folder: Path, synchronous: str) -> float:
    engine = create_registry_engine(migrated_database(SQLITE, folder))

    @event.listens_for(engine, "connect")
    def choose(connection: object, _entry: object) -> None:
        cursor = connection.cursor()  # type: ignore[attr-defined]
        cursor.execute(f"PRAGMA synchronous = {synchronous}")
        cursor.close()

    registry, times = SqlRegistry(engine), []
    for number in range(ROUNDS):
        started = time.perf_counter()
        with registry.session() as session:
            key = session.add_employee(f"E-{number}", "A", None).key
            session.add_photos(key, [new_photo(number)])
            session.advance_revision()
            session.commit()
        times.append(time.perf_counter() - started)
    registry.close()
    return statistics.median(times) * 1e3


def test_what_full_costs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = {}
    for synchronous in ("NORMAL", "FULL"):
        (folder := tmp_path / synchronous).mkdir()
        found[synchronous] = median_enrollment_ms(folder, synchronous)
    with capsys.disabled():
        print(
            f"\nan enrollment's transaction: {found['NORMAL']:.1f} ms with synchronous=NORMAL, "
            f"{found['FULL']:.1f} ms with FULL: {found['FULL'] - found['NORMAL']:+.1f} ms"
        )
