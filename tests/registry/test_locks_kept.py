"""No look at SQLite's file may cost the locks by which other processes know that it is in use."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from app.registry.database import create_probe_engine, create_registry_engine
from app.registry.repository import SqlRegistry
from app.registry.schema import upgrade_to_head

READ_AND_LEAVE = (
    "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); "
    "print(c.execute('SELECT count(*) FROM employees').fetchone()[0]); c.close()"
)


def seen_by_another_process(file: Path) -> int:
    done = subprocess.run(
        [sys.executable, "-c", READ_AND_LEAVE, str(file)],
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout)


def add(registry: SqlRegistry, employee_id: str) -> None:
    with registry.session() as session:
        session.add_employee(employee_id, employee_id, None)
        session.commit()


def test_a_probe_leaves_the_log_to_the_process_that_writes_it(tmp_path: Path) -> None:
    file = tmp_path / "registry.sqlite3"
    upgrade_to_head(file)
    registry = SqlRegistry(create_registry_engine(file), create_probe_engine(file))
    with registry.session():  # as a request that is being answered
        add(registry, "a")
        for _ in range(3):
            registry.probe()
        assert seen_by_another_process(file) == 1
        assert file.with_name(file.name + "-wal").exists()
        add(registry, "b")
    assert seen_by_another_process(file) == 2
    registry.close()
    assert seen_by_another_process(file) == 2


def test_a_log_that_was_deleted_is_written_to_no_more(tmp_path: Path) -> None:
    file = tmp_path / "registry.sqlite3"
    upgrade_to_head(file)
    registry = SqlRegistry(create_registry_engine(file), create_probe_engine(file))
    add(registry, "a")
    log = file.with_name(file.name + "-wal")
    shutil.copy(log, tmp_path / "kept")
    log.unlink()
    shutil.copy(tmp_path / "kept", log)
    add(registry, "b")
    assert seen_by_another_process(file) == 2
    registry.close()
