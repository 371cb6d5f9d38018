"""Erased biometrics leave no byte in SQLite's files."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from app.domain.embeddings import Embedding
from app.registry.database import create_registry_engine
from app.registry.repository import SqlRegistry
from app.registry.rows import embedding_to_bytes
from app.registry.timeouts import DatabaseTimeouts
from tests.registry.builders import MODEL, new_photo, random_embedding
from tests.registry.databases import SQLITE, migrated_database


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = create_registry_engine(migrated_database(SQLITE, tmp_path), DatabaseTimeouts(lock=0.2))
    yield engine
    engine.dispose()


def residue(directory: Path, embedding: Embedding) -> list[str]:
    """Return the files that hold any 64 bytes of the embedding."""
    stored = embedding_to_bytes(embedding)
    pieces = [stored[start : start + 64] for start in range(0, len(stored), 64)]
    contents = {file.name: file.read_bytes() for file in directory.iterdir()}
    return sorted(
        name for name, content in contents.items() if any(piece in content for piece in pieces)
    )


def enroll(registry: SqlRegistry, seeds: list[int]) -> int:
    with registry.session() as session:
        key = session.add_employee(f"E-{seeds[0]}", "A", None).key
        session.add_photos(key, [new_photo(seed) for seed in seeds])
        session.store_centroid(key, random_embedding(seeds[0] + 10_000), MODEL)
        session.commit()
    return key


def test_a_deleted_employee_leaves_no_byte(registry: SqlRegistry, tmp_path: Path) -> None:
    key = enroll(registry, [1, 2])
    enroll(registry, [3])
    assert residue(tmp_path, random_embedding(1))
    with registry.session() as session:
        session.delete_employee(key)
        session.commit()
    for seed in (1, 2, 10_001):
        assert residue(tmp_path, random_embedding(seed)) == []
    assert residue(tmp_path, random_embedding(3)) == ["registry.db"]


def test_a_deleted_photo_leaves_no_byte(registry: SqlRegistry, tmp_path: Path) -> None:
    key = enroll(registry, [1, 2])
    with registry.session() as session:
        session.delete_photo(session.list_photos(key)[0].key)
        session.store_centroid(key, random_embedding(2), MODEL)
        session.commit()
    for seed in (1, 10_001):
        assert residue(tmp_path, random_embedding(seed)) == []


def test_an_erasure_that_is_not_committed_is_none(registry: SqlRegistry, tmp_path: Path) -> None:
    key = enroll(registry, [1])
    with registry.session() as session:
        session.delete_employee(key)
    assert residue(tmp_path, random_embedding(1))


def test_the_log_is_emptied_later_where_a_reader_still_uses_it(
    engine: Engine, registry: SqlRegistry, tmp_path: Path
) -> None:
    key = enroll(registry, [1])
    enroll(registry, [2])
    with engine.connect() as reader:
        reader.exec_driver_sql("BEGIN")
        reader.execute(text("SELECT count(*) FROM photos")).scalar_one()
        with registry.session() as session:
            session.delete_employee(key)
            session.commit()
        assert "registry.db-wal" in residue(tmp_path, random_embedding(1))
    with registry.session() as session:
        session.advance_revision()
        session.commit()
    assert residue(tmp_path, random_embedding(1)) == []


def test_the_log_of_a_process_that_died_is_emptied_by_the_next(
    engine: Engine, registry: SqlRegistry, tmp_path: Path
) -> None:
    enroll(registry, [1])
    enroll(registry, [2])
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM employees WHERE employee_id = 'E-1'"))
    assert residue(tmp_path, random_embedding(1))
    with SqlRegistry(engine).session() as session:
        session.advance_revision()
        session.commit()
    assert residue(tmp_path, random_embedding(1)) == []


def test_nothing_is_left_after_many_arrivals_and_departures(
    registry: SqlRegistry, tmp_path: Path
) -> None:
    """Pages split, merge and move their rows; a copy must not stay where a row once was."""
    chance = random.Random(7)
    present: dict[int, list[int]] = {}
    departed: list[int] = []
    for seed in range(0, 1200, 6):
        if len(present) > 20 and chance.random() < 0.5:
            key = chance.choice(list(present))
            departed += present.pop(key)
            with registry.session() as session:
                session.delete_employee(key)
                session.commit()
        else:
            seeds = [seed + number for number in range(chance.randint(1, 6))]
            present[enroll(registry, seeds)] = seeds
    content = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert len(departed) > 100
    for seed in departed:
        assert embedding_to_bytes(random_embedding(seed))[256:320] not in content
