from __future__ import annotations

import threading

import pytest
from sqlalchemy import Engine, text

from app.domain.employees import EmployeeStatus
from app.domain.errors import EmployeeConflictError
from app.registry.repository import SqlRegistry
from tests.registry.builders import MODEL, new_photo


def enroll(registry: SqlRegistry, *employee_ids: str) -> list[int]:
    with registry.session() as session:
        keys = [session.add_employee(one, "A", None).key for one in employee_ids]
        for key in keys:
            session.add_photos(key, [new_photo(key)])
        session.commit()
    return keys


def test_a_pair_is_seen_from_both_sides(registry: SqlRegistry) -> None:
    a, b, c = enroll(registry, "a", "b", "c")
    with registry.session() as session:
        session.add_look_alikes(b, [a, c])
        session.commit()
    with registry.session() as session:
        found = session.look_alikes_of([a, b, c])
        assert found == {a: {b}, b: {a, c}, c: {b}}
        assert session.look_alikes_of([c]) == {c: {b}}
        assert session.look_alikes_of([]) == {}
        assert session.look_alikes_of([10_000]) == {10_000: set()}


def test_a_pair_is_stored_once_whoever_names_it(registry: SqlRegistry, engine: Engine) -> None:
    a, b = enroll(registry, "a", "b")
    for first, second in ((a, b), (b, a), (a, b)):
        with registry.session() as session:
            session.add_look_alikes(first, [second, second])
            session.commit()
    with engine.connect() as connection:
        assert connection.execute(text("select * from look_alikes")).all() == [(a, b)]


def test_an_erased_employee_looks_like_nobody(registry: SqlRegistry, engine: Engine) -> None:
    a, b, c = enroll(registry, "a", "b", "c")
    with registry.session() as session:
        session.add_look_alikes(a, [b, c])
        session.add_look_alikes(b, [c])
        session.delete_employee(b)
        session.commit()
    with registry.session() as session:
        assert session.look_alikes_of([a, b, c]) == {a: {c}, b: set(), c: {a}}
    with engine.connect() as connection:
        assert connection.execute(text("select count(*) from look_alikes")).scalar_one() == 1


def test_nobody_is_their_own_look_alike_nor_that_of_the_gone(registry: SqlRegistry) -> None:
    (a,) = enroll(registry, "a")
    with registry.session() as session:
        with pytest.raises(ValueError, match="own"):
            session.add_look_alikes(a, [a])
        with pytest.raises(EmployeeConflictError):
            session.add_look_alikes(a, [a + 100])
        session.add_look_alikes(a, [])
        assert session.look_alikes_of([a]) == {a: set()}


def test_the_gallery_can_be_asked_for_who_is_suspended(registry: SqlRegistry) -> None:
    a, b = enroll(registry, "a", "b")
    with registry.session() as session:
        session.update_employee(b, status=EmployeeStatus.SUSPENDED)
        session.commit()
    with registry.session() as session:
        assert [entry.employee_key for entry in session.gallery(MODEL)] == [a]
        suspended = session.gallery(MODEL, EmployeeStatus.SUSPENDED)
        assert [entry.employee_key for entry in suspended] == [b]
        assert session.count_active() == 1


def test_who_has_no_photo_yet_is_not_counted(registry: SqlRegistry) -> None:
    enroll(registry, "a")
    with registry.session() as session:
        session.add_employee("b", "B", None)
        assert session.count_active() == 1


def test_the_gallery_lock_keeps_other_revisions_waiting(registry: SqlRegistry) -> None:
    with registry.session() as session:
        session.lock_gallery()
        seen: list[int] = []

        def advance() -> None:
            with registry.session() as other:
                other.lock_gallery()
                seen.append(other.advance_revision())
                other.commit()

        waiting = threading.Thread(target=advance)
        waiting.start()
        waiting.join(timeout=0.3)
        assert waiting.is_alive()
        mine = session.advance_revision()
        session.commit()
        waiting.join()
    assert seen == [mine + 1]


def test_confirmed_pairs_are_told_by_their_ids(registry: SqlRegistry) -> None:
    a, b, c = enroll(registry, "a", "b", "c")
    with registry.session() as session:
        assert session.confirmed_pairs() == []
        session.add_look_alikes(c, [a])
        session.add_look_alikes(b, [a])
        session.commit()
    with registry.session() as session:
        assert session.confirmed_pairs() == [("a", "b"), ("a", "c")]
