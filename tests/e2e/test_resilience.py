"""Ready means ready and nothing hangs: a real process, real files, real signals."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import httpx2
import psutil
import pytest

from training.data.invented_people import invented_people
from training.demo.service import RunningService, running_service

pytestmark = pytest.mark.slow

PERSON = invented_people()[0]
HALVES = (
    b"GET /healthz HT",
    b"PATCH /v1/employees/a HTTP/1.1\r\nhost: localhost\r\n"
    b"content-type: application/json\r\ncontent-length: 100\r\n\r\n{",
    b"DELETE /v1/employees/a HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\nx",
    b"POST /v1/verify HTTP/1.1\r\nhost: localhost\r\n"
    b"content-type: application/json\r\ncontent-length: 100000\r\n\r\n{",
    b"",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("odd ?folder%20#~")


@pytest.fixture(scope="module")
def own_service(folder: Path) -> Iterator[RunningService]:
    """A process of this module's own, for it does not survive it."""
    with running_service(folder) as running:
        yield running


@pytest.fixture
def http(own_service: RunningService) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=own_service.url, timeout=30.0) as client:
        yield client


def connect(service: RunningService) -> socket.socket:
    port = int(service.url.rpartition(":")[2])
    return socket.create_connection(("127.0.0.1", port), 20.0)


def test_half_sent_requests_stop_nobody_and_fill_no_log(
    own_service: RunningService, http: httpx2.Client, folder: Path
) -> None:
    log = folder / "service.log"
    before = log.stat().st_size
    with ExitStack() as stack:
        for number in range(700):
            connection = stack.enter_context(connect(own_service))
            connection.sendall(HALVES[number % len(HALVES)])
        assert http.get("/healthz").status_code == 200
        assert http.get("/readyz").status_code == 200
        limit = psutil.Process(own_service.process_id).num_fds()
    assert limit < 4096
    assert log.stat().st_size - before < 50_000


def test_a_broken_database_is_red_and_named_and_writes_are_503(
    http: httpx2.Client, folder: Path
) -> None:
    data = {"employee_id": "e1", "full_name": "A Name"}
    files = [("photos", PERSON.photos[0].read_bytes())]
    assert http.post("/v1/enroll", data=data, files=files).status_code == 201
    file = folder / "facegate.sqlite3"
    assert file.is_file(), "the folder that was named"
    moved = file.with_name("moved.sqlite3")
    with closing(sqlite3.connect(file)) as live, closing(sqlite3.connect(moved)) as copy:
        live.backup(copy)
    content = file.read_bytes()
    with file.open("r+b") as opened:
        opened.write(b"\x5a" * len(content))
    time.sleep(1.1)
    red = http.get("/readyz")
    assert (red.status_code, red.json()["ready"]) == (503, False)
    assert "registry: the file is no database, or it is damaged" in red.json()["detail"]
    answer = http.post("/v1/enroll", data=data | {"employee_id": "e2"}, files=files)
    assert (answer.status_code, answer.json()["code"]) == (503, "registry_damaged")
    for suffix in ("", "-wal", "-shm"):
        Path(f"{file}{suffix}").unlink(missing_ok=True)
    time.sleep(1.1)
    assert "the database file is gone" in http.get("/readyz").json()["detail"]
    assert http.delete("/v1/employees/e1").json()["code"] == "registry_unavailable"
    assert not file.exists()
    moved.rename(file)
    time.sleep(1.1)
    green = http.get("/readyz")
    assert green.status_code == 200, green.text
    assert http.get("/v1/employees/e1").status_code == 200


def test_a_slow_upload_does_not_hold_a_shutdown(own_service: RunningService) -> None:
    """The last test of this module: it ends the process."""
    process = psutil.Process(own_service.process_id)
    with connect(own_service) as connection:
        connection.sendall(HALVES[3])
        time.sleep(0.5)
        started = time.monotonic()
        os.kill(own_service.process_id, signal.SIGTERM)
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            with suppress(OSError):
                connection.sendall(b" ")
            time.sleep(0.1)
            assert time.monotonic() - started < 8.0
