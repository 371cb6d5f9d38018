"""A stored photo that must not be compared with anybody is named and left out, never fatal."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from app.domain.embeddings import Embedding, similarity
from app.search.faiss_index import FaissGalleryIndex
from app.services.enrollment import EnrollmentRequest
from app.services.extraction import SeveralFaces
from app.services.gallery import Gallery
from tests.services.conftest import House, make_enrollment
from tests.services.fakes import DIM, MANIFEST, photo
from tests.services.test_enrollment import enroll
from tests.services.test_recognition import identify

OF_ANOTHER_LENGTH = np.eye(1, DIM // 2, dtype="<f4").tobytes()


@pytest.fixture
def change(tmp_path: Path) -> Callable[..., None]:
    """Return a way to change the database beside the service, as a fault below it does."""

    def execute(statement: str, *values: bytes | int) -> None:
        with closing(sqlite3.connect(tmp_path / "registry.sqlite3")) as connection, connection:
            connection.execute(statement, values)

    return execute


@pytest.fixture
def overwrite(change: Callable[..., None]) -> Callable[[int, bytes], None]:
    def put(photo_key: int, stored: bytes) -> None:
        change(
            "UPDATE photos SET embedding = ?, embedding_dim = ? WHERE key = ?",
            stored,
            len(stored) // 4,
            photo_key,
        )

    return put


@pytest.mark.parametrize(
    ("stored", "reason"),
    [
        (np.zeros(DIM, "<f4").tobytes(), "unit length, not 0.0000"),
        (np.full(DIM, np.nan, "<f4").tobytes(), "finite numbers only"),
        (np.full(DIM, np.inf, "<f4").tobytes(), "finite numbers only"),
        (np.full(DIM, 5.0, "<f4").tobytes(), "unit length, not 40.0000"),
        (b"", "a vector, not of shape (0,)"),
        (OF_ANOTHER_LENGTH, "an embedding of 32 numbers, not of 64"),
    ],
)
def test_a_damaged_photo_is_named_and_the_others_open_the_door(
    open_house: Callable[[], House],
    overwrite: Callable[[int, bytes], None],
    stored: bytes,
    reason: str,
) -> None:
    house = open_house()
    photos = [photo("ann", 1), photo("ann", 2)]
    enrolled = enroll(house, "ann", *photos).enrolled
    enroll(house, "bob", photo("bob", 1))
    overwrite(enrolled[0].photo.key, stored)
    restarted = open_house()
    (named,) = restarted.gallery.left_out
    assert (named.employee_id, named.photo_id) == ("ann", enrolled[0].photo.photo_id)
    assert reason in named.reason
    found = identify(restarted, photo("ann", 2)).candidates[0]
    assert found.employee.employee_id == "ann"
    # The centroid is that of what is left, not the stored one.
    assert found.similarity == pytest.approx(1.0, abs=1e-5)
    enroll(restarted, "ann", photo("ann", 3))
    claim = restarted.recognition.verify_claim("ann", photo("ann", 3), SeveralFaces.LARGEST)
    assert claim.accepted


def test_a_person_whose_only_photo_is_damaged_is_named_and_can_be_deleted(
    open_house: Callable[[], House], overwrite: Callable[[int, bytes], None]
) -> None:
    house = open_house()
    enrolled = enroll(house, "ann", photo("ann", 1)).enrolled
    enroll(house, "bob", photo("bob", 1))
    overwrite(enrolled[0].photo.key, np.zeros(DIM, "<f4").tobytes())
    restarted = open_house()
    assert [one.employee_id for one in restarted.gallery.left_out] == ["ann"]
    assert restarted.index.size == 1
    with restarted.registry.session() as session:
        assert restarted.gallery.count_unseen(session) == 0
    restarted.employees.unenroll("ann")
    assert restarted.gallery.left_out == ()
    assert restarted.gallery.is_current()


def test_photos_that_cancel_out_are_named(
    open_house: Callable[[], House],
    overwrite: Callable[[int, bytes], None],
    change: Callable[..., None],
) -> None:
    house = open_house()
    enrolled = enroll(house, "ann", photo("ann", 1), photo("ann", 2)).enrolled
    axis = np.eye(1, DIM, dtype="<f4")
    overwrite(enrolled[0].photo.key, axis.tobytes())
    overwrite(enrolled[1].photo.key, (-axis).tobytes())
    change("DELETE FROM centroids")
    restarted = open_house()
    (named,) = restarted.gallery.left_out
    assert (named.employee_id, named.photo_id) == ("ann", None)
    assert "cancel out" in named.reason
    assert restarted.index.size == 0


def test_a_check_keeps_photos_out_of_every_comparison(house: House) -> None:
    result = enroll(house, "ann", photo("ann", 1), photo("ann", 2))
    with house.registry.session() as session:
        stored = dict(session.photo_embeddings(result.employee.key, MANIFEST.model_version))
    key = result.enrolled[0].photo.key

    def strange(embedding: Embedding) -> str | None:
        return "matches everybody" if similarity(embedding, stored[key]) > 0.999 else None

    gallery = Gallery(house.registry, FaissGalleryIndex(DIM), MANIFEST.model_version, [strange])
    gallery.rebuild()
    (named,) = gallery.left_out
    assert (named.photo_id, named.reason) == (
        result.enrolled[0].photo.photo_id,
        "matches everybody",
    )
    other = result.enrolled[1].photo.key
    with house.registry.session() as session:
        assert [k for k, _ in gallery.photos.of_employee(session, result.employee.key)] == [other]
    (likeness,) = gallery.index.compare_all(stored[other]).similarities
    assert likeness == pytest.approx(1.0, abs=1e-5)
    # The next enrollment does not bring it back.
    make_enrollment(house.extraction, house.registry, gallery).enroll(
        EnrollmentRequest("ann", "A Name", None, (photo("ann", 3),))
    )
    assert gallery.index.compare_all(stored[other]).photo_counts.tolist() == [2]
    assert [one.photo_id for one in gallery.left_out] == [named.photo_id]
