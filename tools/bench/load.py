"""A real service under load: verifications a second and waiting by number of clients."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx2
import psutil
from pydantic import BaseModel

from training.data.invented_people import ENROLLED_COUNT, ENROLLED_PHOTOS, InventedPerson
from training.demo.service import RunningService, running_service

CLIENTS = (1, 2, 4, 8, 16)
_WARM_UP = 5


class Load(BaseModel):
    """So many clients, each of whom asks again as soon as it has its answer."""

    clients: int
    per_second: float
    median_ms: float
    p95_ms: float
    cpu_ms: float


class Service(BaseModel):
    """A process: its start, what it takes of memory, and how it grows.

    ``first_start_seconds`` is on an empty data folder, where the model is prepared.
    """

    first_start_seconds: float
    start_seconds: float
    resident_mib: float
    resident_after_mib: float
    alone_ms: float
    alone_cpu_ms: float
    empty_exchange_ms: float
    loads: list[Load]


def measure_service(
    people: Sequence[InventedPerson], folder: Path, rounds: int, clients: Sequence[int] = CLIENTS
) -> Service:
    """Start the service twice, enroll the invented people and ask for one of them."""
    with running_service(folder) as running:
        first_start = running.start_seconds
        _enroll(running, people)
    photo = people[0].photos[-1].read_bytes()
    with running_service(folder) as running, verifying(running, photo) as verify:
        process = psutil.Process(running.process_id)
        for _ in range(_WARM_UP):
            verify()
        resident = process.memory_info().rss
        with _client(running) as client:
            empty = _median_ms(lambda: client.get("/healthz"), rounds)
        busy = _cpu_seconds(process)
        alone = _median_ms(verify, rounds)
        alone_cpu = (_cpu_seconds(process) - busy) / rounds * 1e3
        loads = [_load(running, photo, count, max(rounds, 4 * count)) for count in clients]
        return Service(
            first_start_seconds=first_start,
            start_seconds=running.start_seconds,
            resident_mib=resident / 2**20,
            resident_after_mib=process.memory_info().rss / 2**20,
            alone_ms=alone,
            alone_cpu_ms=alone_cpu,
            empty_exchange_ms=empty,
            loads=loads,
        )


@contextmanager
def verifying(running: RunningService, photo: bytes) -> Iterator[Callable[[], None]]:
    """Yield a call that verifies the photo and fails where the person is not known."""
    with _client(running) as client:

        def verify() -> None:
            answer = client.post("/v1/verify", files={"photo": photo}).raise_for_status()
            if answer.json()["decision"] != "known":  # or something else is measured
                raise ValueError("the enrolled person is not known")

        yield verify


def _enroll(running: RunningService, people: Sequence[InventedPerson]) -> None:
    with _client(running) as client:
        for person in people[:ENROLLED_COUNT]:
            photos = person.photos[:ENROLLED_PHOTOS]
            client.post(
                "/v1/enroll",
                data={"employee_id": person.name, "full_name": person.name},
                files=[("photos", photo.read_bytes()) for photo in photos],
            ).raise_for_status()


def _load(running: RunningService, photo: bytes, clients: int, requests: int) -> Load:
    each = -(-requests // clients)
    process = psutil.Process(running.process_id)

    def work(_: int) -> list[float]:
        times = []
        with verifying(running, photo) as verify:
            for _ in range(each):
                started = time.perf_counter()
                verify()
                times.append(time.perf_counter() - started)
        return times

    busy, started = _cpu_seconds(process), time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        times = sorted(spent for part in pool.map(work, range(clients)) for spent in part)
    elapsed = time.perf_counter() - started
    return Load(
        clients=clients,
        per_second=len(times) / elapsed,
        median_ms=statistics.median(times) * 1e3,
        p95_ms=times[int(0.95 * len(times))] * 1e3,
        cpu_ms=(_cpu_seconds(process) - busy) / len(times) * 1e3,
    )


@contextmanager
def _client(running: RunningService) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=running.url, timeout=60.0) as client:
        yield client


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _median_ms(action: Callable[[], object], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        action()
        times.append(time.perf_counter() - started)
    return statistics.median(times) * 1e3
