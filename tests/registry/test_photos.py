from __future__ import annotations

import uuid
from datetime import UTC, datetime

import numpy as np
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from app.domain.employees import NewPhoto
from app.domain.faces import FaceQuality
from app.registry.repository import SqlRegistry
from tests.registry.builders import MODEL, OTHER_MODEL, QUALITY, new_photo, random_embedding


def test_photos_come_back_in_order_with_what_was_measured(registry: SqlRegistry) -> None:
    qualities = [FaceQuality(float(number), 2, 3, 4, 5, 6, 0.5) for number in range(20)]
    with registry.session() as session:
        employee = session.add_employee("E-1", "A", None)
        enrolled = session.add_photos(
            employee.key,
            [NewPhoto(random_embedding(i), quality, MODEL) for i, quality in enumerate(qualities)],
        )
        session.commit()
    with registry.session() as session:
        assert session.list_photos(employee.key) == enrolled
        found = session.find_employee("E-1")
    assert found is not None
    assert found.photo_count == 20
    assert [photo.quality for photo in enrolled] == qualities
    assert [photo.key for photo in enrolled] == sorted({photo.key for photo in enrolled})
    assert len({uuid.UUID(photo.photo_id) for photo in enrolled}) == 20
    assert {photo.model_version for photo in enrolled} == {MODEL}
    assert all(photo.created_at.tzinfo is UTC for photo in enrolled)


def test_no_photos_are_no_change(registry: SqlRegistry) -> None:
    with registry.session() as session:
        employee = session.add_employee("E-1", "A", None)
        assert session.add_photos(employee.key, []) == []
        assert session.find_employee("E-1") == employee


def test_photos_count_as_a_change_of_the_employee(engine: Engine) -> None:
    moments = iter([datetime(2031, 1, day, tzinfo=UTC) for day in (1, 2, 3)])
    registry = SqlRegistry(engine, clock=lambda: next(moments))
    with registry.session() as session:
        key = session.add_employee("E-1", "A", None).key
        (photo,) = session.add_photos(key, [new_photo(1)])
        extended = session.employees_by_key([key])[key]
        session.delete_photo(photo.key)
        reduced = session.employees_by_key([key])[key]
    assert (extended.photo_count, extended.updated_at.day) == (1, 2)
    assert (reduced.photo_count, reduced.updated_at.day) == (0, 3)


def test_a_photo_is_found_only_with_its_own_employee(registry: SqlRegistry) -> None:
    with registry.session() as session:
        first, second = (session.add_employee(name, "A", None) for name in ("E-1", "E-2"))
        (photo,) = session.add_photos(first.key, [new_photo(1)])
        assert session.find_photo(first.key, photo.photo_id) == photo
        assert session.find_photo(second.key, photo.photo_id) is None
        assert session.find_photo(first.key, "no-such-photo") is None


def test_embeddings_come_back_by_model_version_oldest_first(registry: SqlRegistry) -> None:
    seeds = [5, 3, 4]
    with registry.session() as session:
        key = session.add_employee("E-1", "A", None).key
        photos = session.add_photos(key, [new_photo(seed) for seed in seeds])
        session.add_photos(key, [new_photo(9, OTHER_MODEL)])
        session.commit()
    with registry.session() as session:
        embeddings = session.photo_embeddings(key, MODEL)
        (other,) = session.photo_embeddings(key, OTHER_MODEL)
        assert session.photo_embeddings(key, "embedder-3") == []
    assert [photo_key for photo_key, _ in embeddings] == [photo.key for photo in photos]
    for seed, (_, embedding) in zip(seeds, embeddings, strict=True):
        np.testing.assert_allclose(embedding, random_embedding(seed), atol=1e-7)
        assert embedding.dtype == np.float32
        assert not embedding.flags.writeable
    np.testing.assert_allclose(other[1], random_embedding(9), atol=1e-7)


def test_bytes_that_are_no_embedding_are_not_read_as_one(
    engine: Engine, registry: SqlRegistry
) -> None:
    with registry.session() as session:
        key = session.add_employee("E-1", "A", None).key
        session.add_photos(key, [NewPhoto(random_embedding(1, dim=2), QUALITY, MODEL)])
        session.commit()
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE photos SET embedding = :stored"),
            {"stored": np.array([np.nan, 1], "<f4").tobytes()},
        )
    with registry.session() as session:
        assert session.photo_embeddings(key, MODEL) == []
        assert session.audit_page(MODEL, 0, 10).photos == ()
        (person,) = session.gallery(MODEL)
        (photo,) = session.list_photos(key)
        assert session.photo_names([photo.key, 99]) == {photo.key: ("E-1", photo.photo_id)}
    assert person.photos == ()
    assert person.damaged == ((photo.key, "an embedding holds finite numbers only"),)


def test_an_embedding_of_another_length_than_stated_is_refused(
    engine: Engine, registry: SqlRegistry
) -> None:
    with registry.session() as session:
        key = session.add_employee("E-1", "A", None).key
        session.add_photos(key, [new_photo(1)])
        session.commit()
    with (
        engine.begin() as connection,
        pytest.raises(IntegrityError, match="ck_photos_embedding_length"),
    ):
        connection.execute(text("UPDATE photos SET embedding_dim = embedding_dim + 1"))


def test_a_deleted_photo_takes_its_centroid_with_it(registry: SqlRegistry) -> None:
    with registry.session() as session:
        key = session.add_employee("E-1", "A", None).key
        first, second = session.add_photos(key, [new_photo(1), new_photo(2)])
        session.store_centroid(key, random_embedding(7), MODEL)
        session.delete_photo(first.key)
        session.delete_photo(first.key)  # twice is no error
        assert session.list_photos(key) == [second]
        (entry,) = session.gallery(MODEL)
    assert entry.centroid is None


def test_deleting_an_employee_deletes_everything_of_it(
    engine: Engine, registry: SqlRegistry
) -> None:
    with registry.session() as session:
        gone, stays = (session.add_employee(name, "A", None) for name in ("E-1", "E-2"))
        for employee in (gone, stays):
            session.add_photos(employee.key, [new_photo(1), new_photo(2)])
            session.store_centroid(employee.key, random_embedding(3), MODEL)
        session.commit()
    with registry.session() as session:
        session.delete_employee(gone.key)
        session.commit()
    with engine.connect() as connection:
        for table, rows in (("employees", 1), ("photos", 2), ("centroids", 1)):
            count = connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608
            assert count == rows, table
    with registry.session() as session:
        assert session.find_employee("E-1") is None
        assert [entry.employee_key for entry in session.gallery(MODEL)] == [stays.key]
