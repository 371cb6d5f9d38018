from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from app.domain.employees import EmployeeFilter, EmployeeStatus
from app.domain.errors import EmployeeConflictError, EmployeeNotFoundError
from app.registry.database import create_registry_engine
from app.registry.repository import SqlRegistry
from app.services.ports import Registry
from tests.registry.builders import MODEL, new_photo, random_embedding


def test_the_registry_is_what_the_use_cases_ask_for(registry: SqlRegistry) -> None:
    port: Registry = registry
    with port.session() as session:
        assert session.find_employee("E-1") is None


def test_an_added_employee_is_found_again(registry: SqlRegistry) -> None:
    before = datetime.now(UTC)
    with registry.session() as session:
        added = session.add_employee("E-1", "Ólafur Ünsal 王", "C-9")
        session.commit()
    with registry.session() as session:
        found = session.find_employee("E-1")
    assert found == added
    assert (found.employee_id, found.full_name, found.card_number) == (
        "E-1",
        "Ólafur Ünsal 王",
        "C-9",
    )
    assert found.status is EmployeeStatus.ACTIVE
    assert found.photo_count == 0
    assert before <= found.created_at == found.updated_at <= datetime.now(UTC)


def test_moments_come_back_in_utc_to_the_microsecond(database_url: str) -> None:
    """Also where PostgreSQL's session answers in another zone."""
    if database_url.startswith("postgresql"):
        database_url += "&options=-c%20timezone%3DAsia/Kathmandu"
    moment = datetime(2031, 3, 30, 2, 30, 0, 123456, tzinfo=timezone(timedelta(hours=-7)))
    registry = SqlRegistry(create_registry_engine(database_url), clock=lambda: moment)
    with registry.session() as session:
        added = session.add_employee("E-1", "A", None)
        session.commit()
    with registry.session() as session:
        found = session.find_employee("E-1")
    registry.close()
    assert found == added
    assert found.created_at == moment
    assert found.created_at.tzinfo is UTC


def test_a_moment_without_a_zone_is_refused(engine: Engine) -> None:
    registry = SqlRegistry(engine, clock=lambda: datetime(2031, 1, 1))
    with registry.session() as session, pytest.raises(Exception, match="needs a time zone"):
        session.add_employee("E-1", "A", None)


@pytest.mark.parametrize(
    ("employee_id", "card_number", "field"),
    [("E-1", None, "employee_id"), ("E-2", "C-1", "card_number")],
)
def test_a_taken_id_or_card_is_a_conflict_that_says_which(
    registry: SqlRegistry, employee_id: str, card_number: str | None, field: str
) -> None:
    with registry.session() as session:
        session.add_employee("E-1", "A", "C-1")
        session.commit()
    with registry.session() as session:
        with pytest.raises(EmployeeConflictError, match=f"already has this {field}"):
            session.add_employee(employee_id, "B", card_number)
        session.add_employee("E-3", "C", "C-3")  # the session goes on
        session.commit()
    with registry.session() as session:
        assert [employee.employee_id for employee in session.list_employees(0, 9)] == ["E-1", "E-3"]


def test_employees_without_a_card_do_not_conflict(registry: SqlRegistry) -> None:
    with registry.session() as session:
        session.add_employee("E-1", "A", None)
        session.add_employee("E-2", "B", None)


def test_ids_differ_in_case_and_trailing_space(registry: SqlRegistry) -> None:
    with registry.session() as session:
        keys = {
            session.add_employee(name, "A", None).key for name in ("e", "E", "e ", "é", "e\u0301")
        }
    assert len(keys) == 5


@pytest.mark.parametrize("employee_id", ["", "x" * 129])
def test_an_id_has_1_to_128_characters(registry: SqlRegistry, employee_id: str) -> None:
    with registry.session() as session:
        with pytest.raises(ValueError, match="1 to 128"):
            session.add_employee(employee_id, "A", None)
        session.add_employee("王" * 128, "A", None)


@pytest.mark.parametrize(("employee_id", "status"), [("", "active"), ("E-1", "retired")])
def test_the_database_refuses_what_the_code_would_never_write(
    engine: Engine, employee_id: str, status: str
) -> None:
    statement = text(
        "INSERT INTO employees (employee_id, full_name, status, created_at, updated_at) "
        "VALUES (:employee_id, 'A', :status, '2031-01-01', '2031-01-01')"
    )
    with engine.connect() as connection, pytest.raises(IntegrityError, match="ck_employees"):
        connection.execute(statement, {"employee_id": employee_id, "status": status})


@pytest.mark.parametrize("unstorable", ["a\0b", "\ud800"])
def test_text_that_no_database_can_hold_is_refused_and_never_found(
    registry: SqlRegistry, unstorable: str
) -> None:
    with registry.session() as session:
        key = session.add_employee("E-1", "A", None).key
        assert session.find_employee(unstorable) is None
        assert session.find_photo(key, unstorable) is None
        with pytest.raises(ValueError, match="no database can store"):
            session.add_employee(unstorable, "A", None)
        with pytest.raises(ValueError, match="no database can store"):
            session.update_employee(key, full_name=unstorable)


def test_update_changes_only_what_is_given(engine: Engine) -> None:
    moments = iter([datetime(2031, 1, day, tzinfo=UTC) for day in range(1, 9)])
    registry = SqlRegistry(engine, clock=lambda: next(moments))
    with registry.session() as session:
        first = session.add_employee("E-1", "A", "C-1")
        renamed = session.update_employee(first.key, full_name="B")
        suspended = session.update_employee(first.key, status=EmployeeStatus.SUSPENDED)
        carded = session.update_employee(first.key, card_number="C-2")
        cleared = session.update_employee(first.key, clear_card_number=True)
        session.commit()
    day = timedelta(days=1)
    assert renamed == replace(first, full_name="B", updated_at=first.created_at + day)
    assert suspended == replace(
        renamed, status=EmployeeStatus.SUSPENDED, updated_at=first.created_at + 2 * day
    )
    assert carded == replace(suspended, card_number="C-2", updated_at=first.created_at + 3 * day)
    assert cleared == replace(carded, card_number=None, updated_at=first.created_at + 4 * day)


def test_updating_to_a_taken_card_is_a_conflict_and_changes_nothing(registry: SqlRegistry) -> None:
    with registry.session() as session:
        session.add_employee("E-1", "A", "C-1")
        second = session.add_employee("E-2", "B", "C-2")
        with pytest.raises(EmployeeConflictError, match="card_number"):
            session.update_employee(second.key, full_name="X", card_number="C-1")
        assert session.find_employee("E-2") == second


def test_changing_a_vanished_employee_names_it(registry: SqlRegistry) -> None:
    with registry.session() as session:
        employee = session.add_employee("E-1", "A", None)
        session.delete_employee(employee.key)
        session.delete_employee(employee.key)  # twice is no error
        with pytest.raises(EmployeeNotFoundError, match="E-1"):
            session.update_employee(employee.key, full_name="B")
        with pytest.raises(EmployeeNotFoundError, match="E-1"):
            session.lock_employee(employee.key)
        with pytest.raises(EmployeeNotFoundError, match="E-1"):
            session.add_photos(employee.key, [new_photo(1)])
        with pytest.raises(EmployeeNotFoundError, match="E-1"):
            session.store_centroid(employee.key, random_embedding(1), MODEL)
        with pytest.raises(EmployeeNotFoundError, match="key 777"):
            session.lock_employee(777)


def test_employees_are_listed_by_key_page_by_page(registry: SqlRegistry) -> None:
    with registry.session() as session:
        added = [session.add_employee(f"E-{9 - number}", "A", None) for number in range(5)]
        session.add_photos(added[1].key, [new_photo(1), new_photo(2)])
        first = session.list_employees(0, 2)
        second = session.list_employees(first[-1].key, 2)
        third = session.list_employees(second[-1].key, 2)
    assert [employee.key for employee in first + second + third] == [e.key for e in added]
    assert [employee.photo_count for employee in first] == [0, 2]


def test_employees_by_key_leaves_out_the_unknown(registry: SqlRegistry) -> None:
    with registry.session() as session:
        first, second = (session.add_employee(name, "A", None) for name in ("E-1", "E-2"))
        assert session.employees_by_key([second.key, 12345, first.key]) == {
            first.key: first,
            second.key: second,
        }
        assert session.employees_by_key([]) == {}
        assert len(session.employees_by_key(range(1, 25_001))) == 2


def test_the_key_of_a_deleted_employee_is_not_given_to_the_next(registry: SqlRegistry) -> None:
    with registry.session() as session:
        gone = session.add_employee("E-1", "A", None)
        (photo,) = session.add_photos(gone.key, [new_photo(1)])
        session.delete_employee(gone.key)
        session.commit()
    with registry.session() as session:
        successor = session.add_employee("E-2", "B", None)
        (next_photo,) = session.add_photos(successor.key, [new_photo(2)])
    assert successor.key > gone.key
    assert next_photo.key > photo.key


def test_a_card_finds_its_employee(registry: SqlRegistry) -> None:
    with registry.session() as session:
        added = session.add_employee("E-1", "A", "C-1")
        session.add_employee("E-2", "B", None)
        assert session.find_employee_by_card("C-1") == added
        for other in ("c-1", "C-2", "", "a\0b", "\ud800"):
            assert session.find_employee_by_card(other) is None


def test_employees_are_listed_by_card_and_by_words_of_their_name(registry: SqlRegistry) -> None:
    def listed(
        card_number: str | None = None, name: str | None = None, after: int = 0
    ) -> list[str]:
        filters = EmployeeFilter.of(card_number, name)
        return [one.employee_id for one in session.list_employees(after, 9, filters)]

    with registry.session() as session:
        first = session.add_employee("E-1", "Zo\u00eb M\u00fcller", "C-1")
        session.add_employee("E-2", "Zoran 50%_\\", "C-2")
        assert listed(name="ZOE muller") == listed(card_number="C-1") == ["E-1"]
        assert listed(name="zo") == ["E-1", "E-2"]
        assert listed(name="zo", after=first.key) == ["E-2"]
        assert listed(name="%_\\") == ["E-2"]
        assert listed(name="_o") == listed(name="a\0b") == listed("C-2", "zoe") == []
        session.update_employee(first.key, full_name="Ann")
        assert listed(name="zo") == ["E-2"]
        assert listed(name="an") == ["E-1", "E-2"]
