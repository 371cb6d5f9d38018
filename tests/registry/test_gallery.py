from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import numpy as np
import pytest
from sqlalchemy import Engine, event, insert, text

from app.domain.embeddings import centroid
from app.domain.employees import EmployeeStatus
from app.registry.repository import SqlRegistry
from app.registry.rows import photo_values
from app.registry.tables import EmployeeRow, PhotoRow
from tests.registry.builders import MODEL, OTHER_MODEL, new_photo, random_embedding


@contextmanager
def statements_of(engine: Engine) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)


def enroll(registry: SqlRegistry, employee_id: str, seeds: list[int], model: str = MODEL) -> int:
    with registry.session() as session:
        key = session.add_employee(employee_id, "A", None).key
        session.add_photos(key, [new_photo(seed, model) for seed in seeds])
        embeddings = [embedding for _, embedding in session.photo_embeddings(key, model)]
        session.store_centroid(key, centroid(embeddings), model)
        session.commit()
    return key


def test_an_empty_gallery_is_empty(registry: SqlRegistry) -> None:
    with registry.session() as session:
        session.add_employee("E-1", "A", None)
        assert session.gallery(MODEL) == []


def test_the_gallery_holds_centroids_and_photos_by_key(registry: SqlRegistry) -> None:
    first = enroll(registry, "E-2", [1, 2, 3])
    second = enroll(registry, "E-1", [4])
    with registry.session() as session:
        entries = session.gallery(MODEL)
        photo_keys = [[photo.key for photo in session.list_photos(key)] for key in (first, second)]
    assert [entry.employee_key for entry in entries] == [first, second]
    assert [[key for key, _ in entry.photos] for entry in entries] == photo_keys
    for entry, seeds in zip(entries, ([1, 2, 3], [4]), strict=True):
        expected = [random_embedding(seed) for seed in seeds]
        np.testing.assert_allclose(
            [embedding for _, embedding in entry.photos], expected, atol=1e-7
        )
        assert entry.centroid is not None
        np.testing.assert_allclose(entry.centroid, centroid(expected), atol=1e-6)
        assert entry.centroid.dtype == np.float32


def test_only_active_employees_with_photos_of_the_version_are_in_it(registry: SqlRegistry) -> None:
    active = enroll(registry, "E-1", [1])
    suspended = enroll(registry, "E-2", [2])
    other = enroll(registry, "E-3", [3], OTHER_MODEL)
    with registry.session() as session:
        session.update_employee(suspended, status=EmployeeStatus.SUSPENDED)
        photoless = session.add_employee("E-4", "A", None)
        session.store_centroid(photoless.key, random_embedding(4), MODEL)
        session.add_photos(active, [new_photo(5, OTHER_MODEL)])
        session.commit()
    with registry.session() as session:
        assert [entry.employee_key for entry in session.gallery(MODEL)] == [active]
        assert [len(entry.photos) for entry in session.gallery(MODEL)] == [1]
        assert [entry.employee_key for entry in session.gallery(OTHER_MODEL)] == [active, other]


def test_the_stored_centroid_counts_and_the_last_one_stored(registry: SqlRegistry) -> None:
    key = enroll(registry, "E-1", [1])
    with registry.session() as session:
        session.store_centroid(key, random_embedding(8), MODEL)
        session.store_centroid(key, random_embedding(9), MODEL)
        session.store_centroid(key, random_embedding(7), OTHER_MODEL)
        (entry,) = session.gallery(MODEL)
    assert entry.centroid is not None
    np.testing.assert_allclose(entry.centroid, random_embedding(9), atol=1e-7)


@pytest.mark.parametrize(
    "change",
    ["DELETE FROM centroids", "UPDATE centroids SET embedding = substr(embedding, 1, 7)"],
)
def test_a_missing_or_damaged_centroid_is_none(
    engine: Engine, registry: SqlRegistry, change: str
) -> None:
    enroll(registry, "E-1", [1, 2])
    with engine.begin() as connection:
        connection.execute(text(change))
    with registry.session() as session:
        (entry,) = session.gallery(MODEL)
    assert entry.centroid is None
    assert len(entry.photos) == 2


def test_a_large_gallery_is_one_statement(engine: Engine, registry: SqlRegistry) -> None:
    """More employees than one fetch brings, so that groups cross its border."""
    count = 700
    now = datetime.now(UTC)
    employees = [
        {"full_name": "A", "status": "active", "created_at": now, "updated_at": now}
        | {"employee_id": f"E-{number}"}
        for number in range(count)
    ]
    with engine.begin() as connection:
        keys = connection.execute(insert(EmployeeRow).returning(EmployeeRow.key), employees)
        photos = [photo_values(key, new_photo(1), now) for key in keys.scalars() for _ in range(3)]
        connection.execute(insert(PhotoRow), photos)
    with registry.session() as session, statements_of(engine) as statements:
        entries = session.gallery(MODEL)
    assert len(entries) == count
    assert {len(entry.photos) for entry in entries} == {3}
    assert len(statements) == 1


def test_the_gallery_is_left_to_others_after_it_was_read(registry: SqlRegistry) -> None:
    """No cursor of it may keep the session from committing, or a snapshot alive."""
    key = enroll(registry, "E-1", [1])
    with registry.session() as session:
        session.gallery(MODEL)
        session.delete_employee(key)
        session.commit()
        assert session.gallery(MODEL) == []
