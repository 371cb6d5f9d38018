"""What a verification may cost, as ratios that a slow or a busy machine does not change.

Each bound lies a quarter or more above what was measured in a dozen runs, and a planted slow-down
breaks it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

import numpy as np
import psutil
import pytest
from threadpoolctl import threadpool_limits

from app.domain.employees import GalleryEntry
from app.search.faiss_index import FaissGalleryIndex
from tools.bench.stages import make_vision, opencv_yardstick
from tools.bench.timing import take_turns
from training.data.invented_people import invented_people

#: Decoding and detecting over OpenCV's decoder and one look at 480 px (`make bench` prints it).
MAX_FIND_RATIO = 1.3
#: A comparison with everybody over the bare product of the same matrix.
MAX_SEARCH_RATIO = 2.0
MAX_GROWTH = 0.05
ROUNDS = 25
PEOPLE, DIM = 20_000, 256


def cpu_ratio(action: Callable[[], object], yardstick: Callable[[], object]) -> float:
    costs = take_turns({"action": action, "yardstick": yardstick}, ROUNDS)
    return costs["action"].cpu_ms / costs["yardstick"].cpu_ms


@functools.cache
def photo() -> bytes:
    return invented_people()[0].photos[-1].read_bytes()


def test_finding_a_face_costs_no_more_than_one_look_of_opencv() -> None:
    vision = make_vision()
    find = functools.partial(vision.find_faces, photo(), nearest=True)
    assert cpu_ratio(find, opencv_yardstick(photo())) < MAX_FIND_RATIO


def test_a_slower_search_for_faces_would_be_noticed() -> None:
    """The whole picture searched after the first look at a reduced one, for nothing."""
    vision = make_vision()

    def find() -> None:
        vision.find_faces(photo(), nearest=True)
        vision.find_faces(photo(), nearest=False)

    assert cpu_ratio(find, opencv_yardstick(photo())) > MAX_FIND_RATIO


@pytest.fixture(scope="module")
def index() -> FaissGalleryIndex:
    rows = np.random.default_rng(0).standard_normal((PEOPLE, DIM), dtype=np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    index = FaissGalleryIndex(DIM)
    entries = [GalleryEntry(key, row, ((key, row),)) for key, row in enumerate(rows, 1)]
    index.replace_all(entries, 1)
    return index


def bare_product(index: FaissGalleryIndex) -> Callable[[], object]:
    rows = index.sample_centroids(PEOPLE)
    return lambda: rows @ rows[0]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Keep BLAS to one thread, as the service does: those that wait spin, and count as CPU time."""
    with threadpool_limits(1, user_api="blas"):
        yield


def test_a_search_costs_little_more_than_its_product(index: FaissGalleryIndex) -> None:
    probe = index.sample_centroids(1)[0]
    search = functools.partial(index.compare_all, probe)
    assert cpu_ratio(search, bare_product(index)) < MAX_SEARCH_RATIO


def test_a_search_person_by_person_would_be_noticed(index: FaissGalleryIndex) -> None:
    probe = index.sample_centroids(1)[0]

    def search() -> list[bool]:
        compared = index.compare_all(probe)
        known = {int(key): len(compared.photo_counts) for key in compared.employee_keys}
        return [known[int(key)] > 0 for key in compared.employee_keys]

    assert cpu_ratio(search, bare_product(index)) > MAX_SEARCH_RATIO


def test_photos_leave_no_memory_behind() -> None:
    vision, process = make_vision(), psutil.Process()
    for _ in range(30):
        vision.find_faces(photo(), nearest=True)
    before = process.memory_info().rss
    for _ in range(150):
        vision.find_faces(photo(), nearest=True)
    assert process.memory_info().rss < (1 + MAX_GROWTH) * before
