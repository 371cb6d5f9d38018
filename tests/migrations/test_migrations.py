from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Column, Text, inspect, text

from app.domain.employees import EmployeeFilter
from app.registry.database import create_migration_engine, create_registry_engine
from app.registry.repository import SqlRegistry
from app.registry.schema import alembic_config, is_at_head, upgrade_to_head
from app.registry.tables import Base
from tests.registry.builders import MODEL, new_photo, random_embedding
from tests.registry.databases import SQLITE, empty_database

REPOSITORY = Path(__file__).resolve().parents[2]


def enroll_one(url: str) -> None:
    registry = SqlRegistry(create_registry_engine(url))
    with registry.session() as session:
        key = session.add_employee("E-1", "A", "C-1").key
        session.add_photos(key, [new_photo(1), new_photo(2)])
        session.store_centroid(key, random_embedding(3), MODEL)
        session.advance_revision()
        session.commit()
    registry.close()


def table_names(url: str) -> set[str]:
    engine = create_registry_engine(url)
    names = set(inspect(engine).get_table_names())
    engine.dispose()
    return names


def test_migrating_brings_an_empty_database_to_head(empty_url: str) -> None:
    assert not is_at_head(empty_url)
    upgrade_to_head(empty_url)
    assert is_at_head(empty_url)
    upgrade_to_head(empty_url)  # again is no change
    assert is_at_head(empty_url)
    enroll_one(empty_url)


def test_the_migrated_schema_is_the_one_in_the_code(empty_url: str) -> None:
    """`alembic check`: columns, types, defaults, indexes, named constraints and checks."""
    upgrade_to_head(empty_url)
    with create_migration_engine(empty_url).connect() as connection:
        command.check(alembic_config(connection))


def test_every_constraint_has_a_name(empty_url: str) -> None:
    upgrade_to_head(empty_url)
    engine = create_registry_engine(empty_url)
    inspector = inspect(engine)
    for table in Base.metadata.tables:
        names = [
            *(constraint["name"] for constraint in inspector.get_foreign_keys(table)),
            *(constraint["name"] for constraint in inspector.get_unique_constraints(table)),
            *(constraint["name"] for constraint in inspector.get_check_constraints(table)),
        ]
        if engine.dialect.name != SQLITE:  # whose AUTOINCREMENT keys cannot be named
            names.append(inspector.get_pk_constraint(table)["name"])
        assert all(names), table
    engine.dispose()


def test_up_down_and_up_again_on_data(empty_url: str) -> None:
    upgrade_to_head(empty_url)
    enroll_one(empty_url)
    with create_migration_engine(empty_url).connect() as connection:
        command.downgrade(alembic_config(connection), "base")
    assert table_names(empty_url) <= {"alembic_version", "sqlite_sequence"}
    assert not is_at_head(empty_url)
    upgrade_to_head(empty_url)
    enroll_one(empty_url)  # nothing of the first time is in the way
    with create_migration_engine(empty_url).connect() as connection:
        command.check(alembic_config(connection))


def test_a_failing_migration_leaves_the_database_as_it_was(empty_url: str) -> None:
    with create_migration_engine(empty_url).connect() as connection, connection.begin():
        connection.execute(text("CREATE TABLE gallery_state (other INTEGER)"))
    with pytest.raises(Exception, match="already exists"):
        upgrade_to_head(empty_url)
    assert table_names(empty_url) == {"gallery_state"}


def test_rebuilding_a_table_keeps_the_rows_that_refer_to_it(empty_url: str) -> None:
    """Batch mode drops and recreates on SQLite, where a cascade would empty the other tables."""
    upgrade_to_head(empty_url)
    enroll_one(empty_url)
    with create_migration_engine(empty_url).connect() as connection, connection.begin():
        operations = Operations(MigrationContext.configure(connection))
        with operations.batch_alter_table(
            "employees", recreate="always" if connection.dialect.name == SQLITE else "never"
        ) as employees:
            employees.add_column(Column("department", Text()))
    registry = SqlRegistry(create_registry_engine(empty_url))
    with registry.session() as session:
        assert [len(entry.photos) for entry in session.gallery(MODEL)] == [2]
    registry.close()


def test_two_processes_may_migrate_at_once(empty_url: str) -> None:
    program = "import sys; from app.registry.schema import upgrade_to_head as up; up(sys.argv[1])"
    processes = [
        subprocess.Popen([sys.executable, "-c", program, empty_url], cwd=REPOSITORY)
        for _ in range(2)
    ]
    assert [process.wait() for process in processes] == [0, 0]
    assert is_at_head(empty_url)


def test_migrating_leaves_logging_alone(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    root, ours = logging.getLogger(), logging.getLogger("app.somewhere")
    before = (list(root.handlers), root.level, ours.disabled, logging.getLogger("alembic").level)
    upgrade_to_head(empty_database(SQLITE, tmp_path))
    after = (list(root.handlers), root.level, ours.disabled, logging.getLogger("alembic").level)
    assert after == before
    assert capfd.readouterr() == ("", "")


def run_alembic(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "alembic", "-c", str(REPOSITORY / "alembic.ini"), *arguments],
        cwd="/",
        env={**os.environ, "FACEGATE_DATABASE_URL": "", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_line_migrates_the_database_it_is_told(tmp_path: Path) -> None:
    url = empty_database(SQLITE, tmp_path)
    assert run_alembic("-x", f"url={url}", "upgrade", "head").returncode == 0
    assert is_at_head(url)
    checked = run_alembic("check", FACEGATE_DATABASE_URL=url)
    assert checked.returncode == 0, checked.stderr
    asked = run_alembic("upgrade", "head")
    assert asked.returncode != 0
    assert "which database" in asked.stderr + asked.stdout


def test_ids_and_names_of_before_get_their_one_spelling(empty_url: str) -> None:
    """Whoever has the same id in another spelling keeps a record that can be read and deleted."""
    nfd = "Jose\u0301"
    long = 128 * "\u0958"  # each is two characters in NFC
    before = [("Jos\u00e9", "A"), (nfd, "Zoe\u0308  M"), ("a  b", "B"), (".", "C"), ("E-1", "D")]
    before.append((long, "E"))
    with create_migration_engine(empty_url).connect() as connection:
        command.upgrade(alembic_config(connection), "0002")
    with create_migration_engine(empty_url).connect() as connection, connection.begin():
        for employee_id, name in before:
            connection.execute(
                text(
                    "INSERT INTO employees (employee_id, full_name, status, created_at, updated_at)"
                    " VALUES (:id, :name, 'active', '2031-01-01', '2031-01-01')"
                ),
                {"id": employee_id, "name": name},
            )
    upgrade_to_head(empty_url)
    registry = SqlRegistry(create_registry_engine(empty_url))
    with registry.session() as session:
        after = {one.employee_id: one.full_name for one in session.list_employees(0, 9)}
        found = session.list_employees(0, 9, EmployeeFilter.of(None, "zoe"))
    registry.close()
    assert after == {
        "Jos\u00e9": "A",
        "Jos\u00e9~2": "Zo\u00eb M",
        "a b": "B",
        ".~4": "C",
        "E-1": "D",
        63 * "\u0915\u093c" + "~6": "E",
    }
    assert [one.employee_id for one in found] == ["Jos\u00e9~2"]
