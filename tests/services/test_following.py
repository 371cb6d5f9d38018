"""How a process follows what others did to the gallery, and notices where history changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from sqlalchemy import delete, text, update

from app.domain.employees import EmployeeStatus, GalleryEntry
from app.domain.gallery_changes import GalleryMark
from app.registry.gallery_log import write_change
from app.registry.tables import GalleryChangeRow, GalleryStateRow
from app.search.faiss_index import FaissGalleryIndex
from app.services.employees import EmployeeChange
from app.services.gallery import Gallery
from tests.services.conftest import House
from tests.services.fakes import DIM, MANIFEST, photo
from tests.services.test_enrollment import enroll


class CountingIndex(FaissGalleryIndex):
    """Counts how often it was built anew."""

    builds = 0

    def replace_all(self, entries: Sequence[GalleryEntry], revision: int) -> None:
        self.builds += 1
        super().replace_all(entries, revision)


class Follower:
    """Another process on the same database, which only searches."""

    def __init__(self, house: House, max_followed: int = 100) -> None:
        self.house = house
        self.index = CountingIndex(DIM)
        self.gallery = Gallery(
            house.registry, self.index, MANIFEST.model_version, max_followed=max_followed
        )
        self.gallery.rebuild()
        self.index.builds = 0

    def sees(self) -> set[str]:
        """Return the ids of everybody in the index, after it was brought up to date."""
        with self.house.registry.session() as session:
            self.gallery.refresh(session)
            assert self.gallery.is_current()
            keys = [int(key) for key in self.index._gallery.keys]
            return {one.employee_id for one in session.employees_by_key(keys).values()}


@pytest.fixture
def follower(house: House) -> Follower:
    enroll(house, "e0", photo("zoe", 1))
    return Follower(house)


def test_changes_of_others_are_followed_one_by_one(house: House, follower: Follower) -> None:
    enroll(house, "e1", photo("ann", 1))
    assert follower.sees() == {"e0", "e1"}
    enroll(house, "e2", photo("bob", 1))
    house.employees.change("e1", EmployeeChange(status=EmployeeStatus.SUSPENDED))
    assert follower.sees() == {"e0", "e2"}
    house.employees.change("e1", EmployeeChange(status=EmployeeStatus.ACTIVE))
    house.employees.unenroll("e0")
    assert follower.sees() == {"e1", "e2"}
    assert follower.index.builds == 0


def test_a_process_follows_others_when_it_writes_itself(open_house: Callable[[], House]) -> None:
    first, second = open_house(), open_house()
    enroll(first, "e1", photo("ann", 1))
    enroll(second, "e2", photo("bob", 1))
    enroll(first, "e3", photo("cat", 1))
    assert (first.index.size, second.index.size) == (3, 2)
    assert first.gallery.is_current()
    assert not second.gallery.is_current()


def test_photos_and_centroids_of_a_followed_person_are_the_new_ones(
    house: House, follower: Follower
) -> None:
    enroll(house, "e0", photo("zoe", 2), name="A Name")
    follower.sees()
    probe = house.index.sample_centroids(1)[0]
    theirs, ours = follower.index.compare_all(probe), house.index.compare_all(probe)
    assert theirs.similarities.tolist() == ours.similarities.tolist()
    assert theirs.photo_counts.tolist() == ours.photo_counts.tolist() == [2]


@pytest.mark.parametrize(
    "damage",
    [
        delete(GalleryChangeRow),
        update(GalleryChangeRow).values(employee_key=None),
        # A version of the service that counts and does not log.
        update(GalleryStateRow).values(revision=GalleryStateRow.revision + 1),
    ],
    ids=["pruned", "everybody", "unlogged"],
)
def test_where_the_log_does_not_tell_everything_is_read_again(
    house: House, follower: Follower, damage: object
) -> None:
    enroll(house, "e1", photo("ann", 1))
    with house.registry.session() as session:
        session.advance_revision()
        session._connection.execute(damage)  # type: ignore[call-overload]
        session.commit()
    assert follower.sees() == {"e0", "e1"}
    assert follower.index.builds == 1
    enroll(house, "e2", photo("bob", 1))
    assert follower.sees() == {"e0", "e1", "e2"}


def test_many_changes_are_read_at_once(house: House) -> None:
    follower = Follower(house, max_followed=2)
    for number in range(1, 4):
        enroll(house, f"e{number}", photo(f"p{number}", 1))
    assert follower.sees() == {"e1", "e2", "e3"}
    assert follower.index.builds == 1


def test_a_failover_that_lost_the_last_change_is_noticed(
    house: House, follower: Follower, tmp_path: Path
) -> None:
    """The replica counts to the same number again, with somebody else behind it."""
    replica = tmp_path / "replica.sqlite3"
    with (
        sqlite3.connect(tmp_path / "registry.sqlite3") as source,
        sqlite3.connect(replica) as copy,
    ):
        source.backup(copy)
    enroll(house, "lost", photo("ann", 1))
    assert follower.sees() == {"e0", "lost"}
    with (
        sqlite3.connect(replica) as source,
        sqlite3.connect(tmp_path / "registry.sqlite3") as primary,
    ):
        source.backup(primary)
    with house.registry.session() as session:
        key = session.add_employee("other", "Other", None).key
        revision = session.advance_revision(key)
        session.commit()
    assert revision == follower.index.revision
    assert not follower.gallery.is_current()
    assert follower.sees() == {"e0"}
    assert follower.index.builds == 1


def test_a_photo_left_out_by_one_change_is_named_until_the_next(house: House) -> None:
    enroll(house, "e0", photo("zoe", 1))
    index = CountingIndex(DIM)
    refused = {float(house.index.sample_centroids(1)[0][0])}
    gallery = Gallery(
        house.registry,
        index,
        MANIFEST.model_version,
        [lambda embedding: "unrecognisable" if float(embedding[0]) in refused else None],
    )
    gallery.rebuild()
    assert [one.employee_id for one in gallery.left_out] == ["e0"]
    enroll(house, "e1", photo("ann", 1))
    enroll(house, "e0", photo("zoe", 2), name="A Name")
    with house.registry.session() as session:
        gallery.refresh(session)
        assert gallery.count_unseen(session) == 0
    assert index.builds == 1
    assert index.size == 2
    assert [one.employee_id for one in gallery.left_out] == ["e0"]
    house.employees.unenroll("e0")
    with house.registry.session() as session:
        gallery.refresh(session)
    assert gallery.left_out == ()


def test_the_log_keeps_its_length(house: House) -> None:
    with house.registry.session() as session:
        session.advance_revision(1)
        for _ in range(6):
            write_change(session._connection, 1, kept=3)
        count = session._connection.execute(text("SELECT count(*) FROM gallery_changes"))
        assert count.scalar_one() == 3
        assert session.changes_since(session.gallery_mark()) is not None
        assert session.changes_since(GalleryMark(1, "another")) is None
