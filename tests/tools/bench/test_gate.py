"""What a verification may cost, as ratios that a slow or a busy machine does not change.

Each bound lies a fifth above what is measured, and a planted slow-down of a third breaks it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
import psutil
import pytest

from app.domain.employees import GalleryEntry
from app.search.faiss_index import FaissGalleryIndex
from tools.bench.stages import make_vision, opencv_yardstick
from tools.bench.timing import take_turns
from training.data.invented_people import invented_people

#: Decoding and detecting over OpenCV's decoder and one look at 480 px (`make bench` prints it).
MAX_FIND_RATIO = 1.0
#: A comparison with everybody over the bare product of the same matrix.
MAX_SEARCH_RATIO = 2.0
MAX_GROWTH = 0.05
ROUNDS = 15
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
    """The whole picture searched, as before there was a first look at a reduced one."""
    vision = make_vision()
    find = functools.partial(vision.find_faces, photo(), nearest=False)
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
    return lambda: np.einsum("nd,d->n", rows, rows[0])


def test_a_search_costs_little_more_than_its_product(index: FaissGalleryIndex) -> None:
    probe = index.sample_centroids(1)[0]
    search = functools.partial(index.compare_all, probe)
    assert cpu_ratio(search, bare_product(index)) < MAX_SEARCH_RATIO


def test_a_search_person_by_person_would_be_noticed(index: FaissGalleryIndex) -> None:
    probe = index.sample_centroids(1)[0]

    def search() -> int:
        return sum(key > 0 for key in index.compare_all(probe).employee_keys)

    assert cpu_ratio(search, bare_product(index)) > MAX_SEARCH_RATIO


def test_photos_leave_no_memory_behind() -> None:
    vision, process = make_vision(), psutil.Process()
    for _ in range(30):
        vision.find_faces(photo(), nearest=True)
    before = process.memory_info().rss
    for _ in range(150):
        vision.find_faces(photo(), nearest=True)
    assert process.memory_info().rss < (1 + MAX_GROWTH) * before
