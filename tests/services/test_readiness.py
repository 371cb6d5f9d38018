"""Ready means ready: what was seen green and was broken, and what was red and worked."""

from __future__ import annotations

import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from app.domain.errors import RegistryUnavailableError
from app.domain.faces import Picture
from app.registry.database import create_probe_engine, create_registry_engine
from app.registry.repository import SqlRegistry
from app.registry.session import SqlRegistrySession
from app.registry.timeouts import DatabaseTimeouts
from app.search.faiss_index import FaissGalleryIndex
from app.services.admission import Admission
from app.services.enrollment import EnrollmentRequest
from app.services.extraction import FaceExtraction
from app.services.gallery import Gallery
from app.services.probes import Finding, Probe
from app.services.readiness import Readiness
from tests.services.conftest import House, make_enrollment
from tests.services.fakes import DIM, MANIFEST, FakeEmbedder, FakeVision, photo
from tests.services.test_enrollment import enroll


def readiness_of(house: House) -> Readiness:
    return Readiness(house.extraction, house.gallery, house.registry, photo("probe"))


def test_a_replica_that_lags_repairs_itself_by_being_asked(
    open_house: Callable[[], House],
) -> None:
    writer, idle = open_house(), open_house()
    readiness = readiness_of(idle)
    for number in range(3):  # it was red each time that another wrote in between
        enroll(writer, f"e{number}", photo(f"p{number}", 1))
        report = readiness.check()
        assert report.ready, report.detail
        assert report.employees == number + 1


def test_a_gallery_of_another_model_is_red(house: House) -> None:
    enroll(house, "e1", photo("ann", 1))
    enroll(house, "e2", photo("bob", 1))
    gallery = Gallery(house.registry, FaissGalleryIndex(DIM), "newer-2")
    gallery.rebuild()
    readiness = Readiness(house.extraction, gallery, house.registry, photo("probe"))
    report = readiness.check()
    assert not report.ready
    assert not report.works("gallery")
    assert "nobody can be recognised: 2 active employees have no photo of model newer-2" in (
        report.detail
    )


def test_some_of_another_model_are_named_and_the_others_are_served(house: House) -> None:

    enroll(house, "e1", photo("ann", 1))
    older = make_enrollment(house.extraction, house.registry, house.gallery, "older-1")
    older.enroll(EnrollmentRequest("e2", "A Name", None, (photo("bob", 1),)))
    report = readiness_of(house).check()
    assert report.ready
    assert report.detail.startswith("1 active employees have no photo of model")


def test_nobody_enrolled_is_ready(house: House) -> None:
    report = readiness_of(house).check()
    assert report.ready, report.detail
    assert report.detail == ""


def test_readiness_checks_share_one_recognition(house: House) -> None:
    now = [0.0]
    seen: list[str] = []

    class CountingVision(FakeVision):
        def decode(self, content: bytes) -> Picture:
            seen.append("looked")
            return super().decode(content)

    extraction = FaceExtraction(CountingVision(), FakeEmbedder(), Admission(1, 0, 1.0))
    readiness = Readiness(
        extraction, house.gallery, house.registry, photo("probe"), 5.0, lambda: now[0]
    )
    for _ in range(5):
        assert readiness.check().ready
    assert len(seen) == 1
    now[0] = 6.0
    assert readiness.check().ready
    assert len(seen) == 2


def test_a_database_that_is_away_is_named_and_no_crash(house: House) -> None:
    url = "postgresql://nobody@127.0.0.1:1/none"
    away = SqlRegistry(
        create_registry_engine(url, DatabaseTimeouts(connect=2)), create_probe_engine(url)
    )
    gallery = Gallery(away, FaissGalleryIndex(DIM), MANIFEST.model_version)
    report = Readiness(house.extraction, gallery, away, photo("probe")).check()
    assert not report.ready
    assert report.works("recognition")
    assert not report.works("registry")
    assert "registry: the database does not answer" in report.detail


class HangingRegistry:
    """A database whose host has vanished."""

    def __init__(self) -> None:
        self.released = threading.Event()
        self.asked = 0

    @contextmanager
    def session(self) -> Iterator[SqlRegistrySession]:
        self.probe()
        raise RegistryUnavailableError("it came back")
        yield

    def probe(self) -> None:
        self.asked += 1
        assert self.released.wait(60)


def test_whatever_hangs_the_answer_comes_and_threads_do_not_pile_up(house: House) -> None:
    registry = HangingRegistry()
    readiness = Readiness(house.extraction, house.gallery, registry, photo("probe"))
    threads = threading.active_count()
    for _ in range(3):
        started = time.monotonic()
        report = readiness.check()
        assert time.monotonic() - started < 2.0
        assert not report.ready
        assert "registry: no answer for" in report.detail
    assert threading.active_count() <= threads + 2
    assert registry.asked == 2  # one for the probe, one for the index
    registry.released.set()


def test_a_slow_recognition_counts_as_it_last_did_and_then_hangs() -> None:
    now = [0.0]
    released = threading.Event()

    def check() -> Finding:
        released.wait(60)
        return Finding()

    probe = Probe("recognition", check, 5.0, 10.0, lambda: now[0])
    probe.passed()
    now[0] = 6.0
    probe.begin()
    assert probe.report(0.01).ok
    now[0] = 17.0
    probe.begin()
    assert not probe.report(0.01).ok
    assert probe.report(0.01).detail == "no answer for 11 s"
    released.set()
    assert probe.report(5.0).ok


def test_a_check_that_fails_unforeseen_is_red_and_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def check() -> Finding:
        raise RuntimeError("unforeseen")

    probe = Probe("recognition", check, 5.0)
    probe.begin()
    report = probe.report(5.0)
    assert not report.ok
    assert "unforeseen" not in report.detail
    assert "unforeseen" in caplog.text


def test_a_check_for_which_there_is_no_thread_is_red_and_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_thread(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    probe = Probe("recognition", Finding, 5.0)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", no_thread)
        probe.begin()
        report = probe.report(5.0)
    assert not report.ok
    assert "no thread" in report.detail
    probe.begin()
    assert probe.report(5.0).ok


def test_no_temporary_folder_is_red(house: House, tmp_path: Path) -> None:
    before, tempfile.tempdir = tempfile.tempdir, str(tmp_path / "gone")
    try:
        report = readiness_of(house).check()
    finally:
        tempfile.tempdir = before
    assert not report.works("temporary folder")
    assert "No such file or directory" in report.detail


def test_another_writer_is_no_fault_before_it_has_held_the_database_for_long(
    open_house: Callable[[], House], tmp_path: Path
) -> None:
    now = [0.0]
    house = open_house()
    file = tmp_path / "registry.sqlite3"
    registry = SqlRegistry(create_registry_engine(file), create_probe_engine(file))
    readiness = Readiness(
        house.extraction, house.gallery, registry, photo("probe"), 100.0, lambda: now[0]
    )
    assert readiness.check().ready
    with closing(sqlite3.connect(file)) as other:
        other.execute("BEGIN IMMEDIATE")
        now[0] = 15.0  # nobody asked for longer than a writer may hold it: that is no fault yet
        report = readiness.check()
        assert report.ready
        assert report.detail == "another writer has held the database for 0 s"
        now[0] = 20.0
        report = readiness.check()
        assert report.ready
        assert report.detail == "another writer has held the database for 5 s"
        now[0] = 30.0
        report = readiness.check()
        assert not report.ready
        assert report.detail == "registry: another writer has held the database for 15 s"
    now[0] = 40.0
    assert readiness.check().ready
    with closing(sqlite3.connect(file)) as other:
        other.execute("BEGIN IMMEDIATE")
        now[0] = 60.0
        assert readiness.check().detail == "another writer has held the database for 0 s"
    registry.close()
