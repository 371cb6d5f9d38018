"""What thousands of mixed requests do to the memory of the service; prints the slope.

Photos of many sizes and formats, some of them damaged, from four callers at once: verify, identify,
enroll, delete, refuse. The slope is that of a line through the resident memory after a tenth of the
requests, when every buffer and arena has been used once.
"""

from __future__ import annotations

import base64
import io
import os
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import numpy as np
import psutil
import pytest
from PIL import Image

from training.data.invented_people import invented_people
from training.demo.service import running_service

pytestmark = [pytest.mark.soak, pytest.mark.timeout(6 * 3600)]

REQUESTS = int(os.environ.get("SOAK_REQUESTS", "10000"))
CALLERS = 4
SAMPLES = 200
STRETCHES = 9
#: Longest sides that cameras send, the usual ones more often.
SIDES = (320, 640, 640, 640, 1280, 1280, 2000, 3000, 4000)
MIB = 1024 * 1024

PEOPLE = invented_people()


def made_photos(seed: int = 0, count: int = 60) -> list[bytes]:
    """Return photos of invented people in many sizes and formats, every fifth one damaged."""
    draw = random.Random(seed)
    photos = []
    for number in range(count):
        person = draw.choice(PEOPLE)
        with Image.open(io.BytesIO(draw.choice(person.photos).read_bytes())) as picture:
            side = draw.choice(SIDES)
            height = round(side * picture.height / picture.width * draw.uniform(0.8, 1.2))
            resized = picture.convert("RGB").resize((side, max(1, height)))
        file = io.BytesIO()
        kind = draw.choice(("JPEG", "JPEG", "JPEG", "PNG", "WEBP")) if side <= 1280 else "JPEG"
        resized.save(file, kind)
        content = file.getvalue()
        if number % 5 == 4:
            content = content[: draw.randrange(10, len(content))]
        photos.append(content)
    return photos


class Caller:
    """Sends one mixed request after the other and counts what comes back."""

    def __init__(self, url: str, photos: list[bytes], seed: int) -> None:
        self.statuses: dict[int, int] = {}
        self._client = httpx2.Client(base_url=url, timeout=60.0)
        self._photos = photos
        self._draw = random.Random(seed)
        self._seed = seed
        self._asks: list[Callable[[], httpx2.Response]] = [
            *(self._verify,) * 6,
            *(self._identify,) * 2,
            self._verify_in_json,
            self._enroll,
            self._delete,
            self._list,
            self._refused,
        ]

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def ask(self) -> None:
        """Send one request."""
        status = self._draw.choice(self._asks)().status_code
        self.statuses[status] = self.statuses.get(status, 0) + 1

    def _photo(self) -> dict[str, bytes]:
        return {"photo": self._draw.choice(self._photos)}

    def _verify(self) -> httpx2.Response:
        return self._client.post("/v1/verify", files=self._photo())

    def _identify(self) -> httpx2.Response:
        return self._client.post("/v1/identify", files=self._photo())

    def _verify_in_json(self) -> httpx2.Response:
        encoded = base64.b64encode(self._draw.choice(self._photos)).decode()
        return self._client.post("/v1/verify", json={"photo": encoded})

    def _enroll(self) -> httpx2.Response:
        person = self._draw.choice(PEOPLE)
        chosen = self._draw.sample(person.photos, 2)
        return self._client.post(
            "/v1/enroll",
            data={"employee_id": f"{person.name}-{self._seed}", "full_name": person.name},
            files=[("photos", photo.read_bytes()) for photo in chosen],
        )

    def _delete(self) -> httpx2.Response:
        name = f"{self._draw.choice(PEOPLE).name}-{self._seed}"
        return self._client.delete(f"/v1/employees/{name}")

    def _list(self) -> httpx2.Response:
        return self._client.get("/v1/employees?limit=100")

    def _refused(self) -> httpx2.Response:
        content = self._draw.randbytes(self._draw.randrange(1, 3_000_000))
        return self._client.post("/v1/verify", files={"photo": content})


def test_memory_over_many_requests(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with running_service(tmp_path, timeout_seconds=600.0) as service:
        process = psutil.Process(service.process_id)
        callers = [Caller(service.url, made_photos(), seed) for seed in range(CALLERS)]
        samples = [(0, process.memory_info().rss / MIB)]
        done, lock = [0], threading.Lock()
        every = max(1, REQUESTS // SAMPLES)

        def work(caller: Caller) -> None:
            while True:
                with lock:
                    if done[0] >= REQUESTS:
                        return
                    done[0] += 1
                    if done[0] % every == 0:
                        samples.append((done[0], process.memory_info().rss / MIB))
                caller.ask()

        started = time.monotonic()
        with ThreadPoolExecutor(CALLERS) as pool:
            list(pool.map(work, callers))
        seconds = time.monotonic() - started
        for caller in callers:
            caller.close()
        busy = process.memory_info().rss / MIB
        time.sleep(8.0)
        idle = process.memory_info().rss / MIB
    warm = np.asarray([one for one in samples if one[0] >= REQUESTS // 10])
    # What is held whatever is being decoded: the least of each stretch.
    least = np.stack([part[part[:, 1].argmin()] for part in np.array_split(warm, STRETCHES)])
    slopes = [float(np.polyfit(line[:, 0], line[:, 1], 1)[0]) * 1000 for line in (warm, least)]
    statuses: dict[int, int] = {}
    for caller in callers:
        for status, count in caller.statuses.items():
            statuses[status] = statuses.get(status, 0) + count
    with capsys.disabled():
        print(
            f"\n{REQUESTS} mixed requests in {seconds:.0f} s, answers "
            f"{dict(sorted(statuses.items()))}"
            f"\nresident: {samples[0][1]:.0f} MiB at the start, at most "
            f"{max(one[1] for one in samples):.0f}, {busy:.0f} at the end, {idle:.0f} after 8 s of "
            f"rest\nslope after the first tenth: {slopes[0]:+.2f} MiB per 1,000 requests, "
            f"of the least of each of {STRETCHES} stretches {slopes[1]:+.2f}"
        )
    assert not statuses.keys() & {500}
