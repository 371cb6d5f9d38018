"""What live traffic notices of an audit of 10,000 people; prints latencies and their ratio.

The gallery is made: random directions, three photos each, written through the registry's own
repository, with a few people planted twice so that the audit has something to find.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator

import httpx2
import numpy as np
import psutil
import pytest

from app.domain.embeddings import as_embedding, centroid
from app.domain.employees import NewPhoto
from app.domain.faces import FaceQuality
from app.embedding.artifact import open_artifact
from app.registry.database import create_registry_engine
from app.registry.repository import SqlRegistry
from app.registry.schema import upgrade_to_head
from app.settings import Settings
from training.data.invented_people import invented_people
from training.demo.service import RunningService, running_service

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(900)]

PEOPLE, PHOTOS, TWICE = 10_000, 3, 5
NOISE = 0.58
BEFORE = 60
QUALITY = FaceQuality(200.0, 200.0, 120.0, 0.0, 0.0, 0.0, 0.95)


def write_gallery(url: str) -> None:
    """Enroll the made people; the last ``TWICE`` are the first ones again."""
    manifest = open_artifact(Settings().model_dir).manifest
    random = np.random.default_rng(20261122)
    centres = random.normal(size=(PEOPLE, manifest.embedding_dim))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    centres[-TWICE:] = centres[:TWICE]
    registry = SqlRegistry(create_registry_engine(url))
    with registry.session() as session:
        for number, centre in enumerate(centres):
            beside = random.normal(size=(PHOTOS, manifest.embedding_dim))
            photos = centre + NOISE / np.sqrt(manifest.embedding_dim) * beside
            photos /= np.linalg.norm(photos, axis=1, keepdims=True)
            seen = [as_embedding(photo) for photo in photos]
            key = session.add_employee(f"made-{number}", "Made", None).key
            session.add_photos(
                key, [NewPhoto(one, QUALITY, manifest.model_version) for one in seen]
            )
            session.store_centroid(key, centroid(seen), manifest.model_version)
        session.advance_revision()
        session.commit()
    registry.close()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    data_dir = tmp_path_factory.mktemp("audit")
    url = f"sqlite:///{data_dir / 'facegate.sqlite3'}"
    upgrade_to_head(url)
    write_gallery(url)
    with running_service(data_dir) as running:
        yield running


def latencies(
    client: httpx2.Client, photo: bytes, go_on: Callable[[int], bool]
) -> tuple[float, float]:
    """Return the median and the 95th percentile of one door's verifications, in ms."""
    times: list[float] = []
    while go_on(len(times)):
        started = time.perf_counter()
        client.post("/v1/verify", files={"photo": photo}).raise_for_status()
        times.append(1e3 * (time.perf_counter() - started))
    return statistics.median(times), float(np.percentile(times, 95))


def test_latency_before_and_during_an_audit(service: RunningService) -> None:
    photo = invented_people()[0].photos[-1].read_bytes()
    process = psutil.Process(service.process_id)
    with httpx2.Client(base_url=service.url, timeout=60.0) as client:
        latencies(client, photo, lambda count: count < 5)
        before = latencies(client, photo, lambda count: count < BEFORE)
        resident = process.memory_info().rss
        started = time.perf_counter()
        where = client.post("/v1/audits").raise_for_status().headers["location"]
        running = [True]

        def go_on(count: int) -> bool:
            if count % 5 == 4:
                running[0] = client.get(where).json()["state"] == "running"
            return running[0] or count < 5

        during = latencies(client, photo, go_on)
        spent = time.perf_counter() - started
        growth = (process.memory_info().rss - resident) / 2**20
        body = client.get(where).json()
        after = latencies(client, photo, lambda count: count < BEFORE)
    result = body["result"]
    print(f"\naudit of {result['people_count']:,} people, {result['photo_count']:,} photos:")
    print(f"{spent:.1f} s beside one busy door, {growth:+.0f} MiB resident")
    for name, (median, high) in (("before", before), ("during", during), ("after", after)):
        print(
            f"{name:7} median {median:6.1f} ms, 95 % within {high:6.1f} ms, "
            f"ratio {median / before[0]:.2f} and {high / before[1]:.2f}"
        )
    assert body["state"] == "finished"
    assert result["possible_duplicate_count"] == TWICE
