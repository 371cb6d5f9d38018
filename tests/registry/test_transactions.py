from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Engine

from app.domain.errors import BusyError, EmployeeConflictError
from app.registry.database import create_registry_engine
from app.registry.repository import SqlRegistry
from app.registry.timeouts import DatabaseTimeouts
from tests.registry.builders import MODEL, new_photo, random_embedding

REPOSITORY = Path(__file__).resolve().parents[2]


def test_without_commit_nothing_lasts(registry: SqlRegistry) -> None:
    with registry.session() as session:
        key = session.add_employee("E-1", "A", "C-1").key
        session.add_photos(key, [new_photo(1)])
        session.store_centroid(key, random_embedding(1), MODEL)
        session.advance_revision()
    with registry.session() as session:
        assert session.list_employees(0, 9) == []
        assert session.list_photos(key) == []
        assert session.revision() == 0
        session.add_employee("E-1", "A", "C-1")


def test_an_error_inside_a_session_rolls_back(registry: SqlRegistry) -> None:
    def add_and_fail() -> None:
        with registry.session() as session:
            session.add_employee("E-1", "A", None)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        add_and_fail()
    with registry.session() as session:
        assert session.find_employee("E-1") is None


def test_a_process_that_dies_before_its_commit_leaves_nothing(
    database_url: str, registry: SqlRegistry
) -> None:
    program = (
        "import os, sys\n"
        "from app.registry.database import create_registry_engine\n"
        "from app.registry.repository import SqlRegistry\n"
        "from tests.registry.builders import new_photo\n"
        "with SqlRegistry(create_registry_engine(sys.argv[1])).session() as session:\n"
        "    for employee_id in ('committed', 'not committed'):\n"
        "        key = session.add_employee(employee_id, 'A', None).key\n"
        "        session.add_photos(key, [new_photo(seed) for seed in range(20)])\n"
        "        session.advance_revision()\n"
        "        if employee_id == 'committed': session.commit()\n"
        "    os._exit(9)\n"
    )
    died = subprocess.run(
        [sys.executable, "-c", program, database_url], cwd=REPOSITORY, check=False
    )
    assert died.returncode == 9
    with registry.session() as session:
        assert session.revision() == 1
        (survivor,) = session.list_employees(0, 9)
        assert (survivor.employee_id, survivor.photo_count) == ("committed", 20)
        assert len(session.gallery(MODEL)) == 1
        session.advance_revision()  # and no lock of the dead is left
        session.commit()


def test_the_revision_grows_by_one_and_only_with_a_commit(registry: SqlRegistry) -> None:
    with registry.session() as session:
        assert session.revision() == 0
        assert session.advance_revision() == 1
        assert session.advance_revision() == 2
        session.commit()
        assert session.revision() == 2
        assert session.advance_revision() == 3
    with registry.session() as session:
        assert session.revision() == 2


def test_enrolling_from_several_threads_loses_nothing(registry: SqlRegistry) -> None:
    def enroll_many(worker: int) -> list[int]:
        revisions = []
        for number in range(25):
            with registry.session() as session:
                assert session.find_employee(f"E-{worker}-{number}") is None
                key = session.add_employee(f"E-{worker}-{number}", "A", None).key
                session.add_photos(key, [new_photo(number), new_photo(number + 1)])
                session.store_centroid(key, random_embedding(number), MODEL)
                revisions.append(session.advance_revision())
                session.commit()
        return revisions

    with ThreadPoolExecutor(2) as pool:
        revisions = [revision for some in pool.map(enroll_many, range(2)) for revision in some]
    assert sorted(revisions) == list(range(1, 51))
    with registry.session() as session:
        assert session.revision() == 50
        assert [len(entry.photos) for entry in session.gallery(MODEL)] == [2] * 50


def test_extending_one_employee_from_several_threads_loses_nothing(registry: SqlRegistry) -> None:
    """Each counts the photos under the lock, so no two may see the same count."""
    with registry.session() as session:
        key = session.add_employee("E-1", "A", None).key
        session.commit()

    def extend(worker: int) -> list[int]:
        counts = []
        for number in range(15):
            with registry.session() as session:
                assert session.find_employee("E-1") is not None
                session.lock_employee(key)
                counts.append(session.employees_by_key([key])[key].photo_count)
                session.add_photos(key, [new_photo(100 * worker + number)])
                session.advance_revision()
                session.commit()
        return counts

    with ThreadPoolExecutor(3) as pool:
        counts = [count for some in pool.map(extend, range(3)) for count in some]
    assert sorted(counts) == list(range(45))


def test_of_two_threads_that_add_the_same_id_one_gets_a_conflict(registry: SqlRegistry) -> None:
    def add(number: int) -> bool:
        with registry.session() as session:
            try:
                session.add_employee("E-1", f"thread {number}", None)
            except EmployeeConflictError:
                return False
            session.commit()
            return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(add, range(4))) == [False, False, False, True]


def test_a_reader_does_not_wait_for_a_writer(registry: SqlRegistry) -> None:
    with registry.session() as session:
        session.add_employee("E-1", "A", None)
        session.commit()
    with registry.session() as writer, registry.session() as reader:
        writer.add_employee("E-2", "B", None)
        writer.advance_revision()
        assert reader.find_employee("E-1") is not None
        assert reader.find_employee("E-2") is None
        assert reader.revision() == 0
        writer.commit()
        assert reader.find_employee("E-2") is not None
        reader.advance_revision()  # nor does having read keep it from writing
        reader.commit()


def test_a_lock_that_does_not_come_is_busy(database_url: str) -> None:
    engine = create_registry_engine(database_url, DatabaseTimeouts(lock=0.2))
    registry = SqlRegistry(engine)
    with registry.session() as session:
        key = session.add_employee("E-1", "A", None).key
        session.commit()
    with registry.session() as holder, registry.session() as waiter:
        holder.lock_employee(key)
        with pytest.raises(BusyError):
            waiter.lock_employee(key)
    with registry.session() as session:
        session.lock_employee(key)
    registry.close()


def test_a_connection_that_does_not_come_is_busy(database_url: str) -> None:
    engine: Engine = create_registry_engine(
        database_url, DatabaseTimeouts(pool=0.1), pool_size=1, max_overflow=0
    )
    registry = SqlRegistry(engine)
    with registry.session() as holder:
        holder.revision()
        with pytest.raises(BusyError), registry.session():
            pass
    registry.close()
