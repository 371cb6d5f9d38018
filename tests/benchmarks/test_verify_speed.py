"""What one verification costs, stage by stage and over HTTP; prints medians and ratios.

Absolute times depend on the machine; the ratio of the whole over HTTP to the sum of its stages,
measured in the same minute, is what can be compared.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import psutil
import pytest

from app.domain.employees import NewPhoto
from app.embedding.load import load_embedder
from app.embedding.torchscript import limit_torch_threads
from app.registry.database import create_registry_engine
from app.registry.repository import SqlRegistry
from app.registry.schema import upgrade_to_head
from app.search.faiss_index import FaissGalleryIndex
from app.services.gallery import Gallery
from app.settings import Settings
from app.vision.decode import DecodeLimits
from app.vision.detector import FaceDetector
from app.vision.opencv import configure_opencv
from app.vision.reader import FaceVision
from app.vision.weights import read_detector_weights
from training.data.invented_people import ENROLLED_COUNT, ENROLLED_PHOTOS, invented_people
from training.demo.service import RunningService, running_service

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(600)]

ROUNDS = 40
PEOPLE = invented_people()


def median_ms(action: Callable[[], object], rounds: int = ROUNDS) -> float:
    times = []
    for _ in range(rounds + 3):
        started = time.perf_counter()
        action()
        times.append(time.perf_counter() - started)
    return statistics.median(times[3:]) * 1e3


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    chosen = {"FACEGATE_RUNTIME": Settings().runtime}
    with running_service(tmp_path_factory.mktemp("bench"), chosen) as running:
        with httpx2.Client(base_url=running.url, timeout=60.0) as client:
            for person in PEOPLE[:ENROLLED_COUNT]:
                client.post(
                    "/v1/enroll",
                    data={"employee_id": person.name, "full_name": person.name},
                    files=[
                        ("photos", photo.read_bytes()) for photo in person.photos[:ENROLLED_PHOTOS]
                    ],
                ).raise_for_status()
        yield running


def stage_times(photo: bytes, tmp_path: Path) -> dict[str, float]:
    """Return the median milliseconds of every stage of one verification, in this process."""
    configure_opencv(threads=1)
    limit_torch_threads(1)
    vision = FaceVision(FaceDetector(read_detector_weights()), DecodeLimits())
    settings = Settings()
    embedder = load_embedder(settings.model_dir, settings.runtime, settings.workers)
    url = f"sqlite:///{tmp_path / 'bench.sqlite3'}"
    upgrade_to_head(url)
    registry = SqlRegistry(create_registry_engine(url))
    gallery = Gallery(registry, FaissGalleryIndex(embedder.manifest.embedding_dim), "bench")
    picture = vision.decode(photo)
    detection = vision.detect(picture)[0]
    crop = vision.crop(picture, detection)
    near = vision.find_faces(photo, nearest=True)
    (embedding,) = embedder.embed(crop.pixels[None])

    photo_record = NewPhoto(embedding, crop.quality, "bench")
    for number in range(ENROLLED_COUNT):
        with gallery.changing() as session:
            employee = session.add_employee(f"e{number}", "Bench", None)
            session.add_photos(employee.key, [photo_record])
            gallery.commit(session, employee)

    def search() -> None:
        with registry.session() as session:
            gallery.refresh(session)
            everyone = gallery.index.compare_all(embedding)
            nearest = int(everyone.employee_keys[everyone.similarities.argmax()])
            session.employees_by_key([nearest])
            gallery.index.closest_photos(embedding, [nearest])

    times = {
        "decode and detect": median_ms(lambda: vision.find_faces(photo, nearest=True)),
        "align and measure": median_ms(lambda: vision.crop(near.photo.picture, near.detections[0])),
        f"embed by {embedder.runtime}": median_ms(lambda: embedder.embed(crop.pixels[None])),
        "registry and search": median_ms(search),
    }
    registry.close()
    return times


def test_the_cost_of_one_verification(service: RunningService, tmp_path: Path) -> None:
    photo = PEOPLE[0].photos[-1].read_bytes()
    stages = stage_times(photo, tmp_path)
    total = sum(stages.values())
    print()
    for name, spent in stages.items():
        print(f"{name:22} {spent:8.2f} ms  {100 * spent / total:5.1f} %")
    print(f"{'sum of the stages':22} {total:8.2f} ms")
    with httpx2.Client(base_url=service.url, timeout=60.0) as client:

        def verify() -> None:
            answer = client.post("/v1/verify", files={"photo": photo}).raise_for_status()
            assert answer.json()["decision"] == "known"  # or something else is measured

        whole = median_ms(verify)
        floor = median_ms(lambda: client.get("/healthz"))
    print(f"{'one verify over HTTP':22} {whole:8.2f} ms  ratio to the sum {whole / total:5.2f}")
    print(f"{'an empty exchange':22} {floor:8.2f} ms")


@pytest.mark.parametrize("clients", [1, 8])
def test_throughput(service: RunningService, clients: int) -> None:
    photo = PEOPLE[0].photos[-1].read_bytes()
    each = 160 // clients

    def work(_: int) -> list[float]:
        times = []
        with httpx2.Client(base_url=service.url, timeout=60.0) as client:
            for _ in range(each):
                started = time.perf_counter()
                client.post("/v1/verify", files={"photo": photo}).raise_for_status()
                times.append(time.perf_counter() - started)
        return times

    started = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        times = sorted(spent for part in pool.map(work, range(clients)) for spent in part)
    elapsed = time.perf_counter() - started
    print(
        f"\n{clients} clients: {len(times) / elapsed:6.1f} verifications a second, "
        f"median {times[len(times) // 2] * 1e3:6.1f} ms, "
        f"95 % within {times[int(len(times) * 0.95)] * 1e3:6.1f} ms"
    )


def test_start_up_and_memory(service: RunningService) -> None:
    resident = psutil.Process(service.process_id).memory_info().rss / 2**20
    print(f"\nready {service.start_seconds:.1f} s after the start; {resident:.0f} MiB resident")
    photo = PEOPLE[1].photos[-1].read_bytes()
    with httpx2.Client(base_url=service.url, timeout=60.0) as client:
        for _ in range(300):
            client.post("/v1/verify", files={"photo": photo}).raise_for_status()
    after = psutil.Process(service.process_id).memory_info().rss / 2**20
    print(f"{after:.0f} MiB after 300 more verifications, growth {after / resident - 1:+.1%}")
