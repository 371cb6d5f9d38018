from __future__ import annotations

import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from app.domain.embeddings import Embedding, as_embedding, centroid
from app.domain.employees import GalleryEntry
from app.search.faiss_index import FaissGalleryIndex

DIM = 8


def random_embedding(seed: int) -> Embedding:
    vector = np.random.default_rng(seed).normal(size=DIM)
    return as_embedding(vector / np.linalg.norm(vector))


def entry(key: int, seed: int, photos: int = 2) -> GalleryEntry:
    embeddings = [random_embedding(seed * 100 + n) for n in range(photos)]
    numbered = tuple((key * 1000 + n, embedding) for n, embedding in enumerate(embeddings))
    return GalleryEntry(key, centroid(embeddings), numbered)


class IndexAgainstExhaustiveSearch(RuleBasedStateMachine):
    """Any series of changes leaves an index that answers as a plain dictionary does."""

    def __init__(self) -> None:
        super().__init__()
        self.index = FaissGalleryIndex(DIM)
        self.model: dict[int, GalleryEntry] = {}
        self.revision = 0

    @rule(key=st.integers(1, 12), seed=st.integers(0, 50), photos=st.integers(1, 3))
    def upsert(self, key: int, seed: int, photos: int) -> None:
        self.revision += 1
        self.model[key] = entry(key, seed, photos)
        self.index.upsert(self.model[key], self.revision)

    @rule(key=st.integers(1, 12))
    def remove(self, key: int) -> None:
        self.revision += 1
        self.model.pop(key, None)
        self.index.remove(key, self.revision)

    @rule()
    def rebuild(self) -> None:
        self.index.replace_all(list(self.model.values()), self.revision)

    @invariant()
    def finds_the_closest_photo_of_whoever_is_asked_for(self) -> None:
        probe = random_embedding(999)
        closest = self.index.closest_photos(probe, list(range(1, 14)))
        assert closest.keys() == self.model.keys()
        for key, similarity in closest.items():
            nearest = max(float(e @ probe) for _, e in self.model[key].photos)
            assert similarity == pytest.approx(nearest, abs=1e-5)

    @invariant()
    def compares_with_everybody(self) -> None:
        probe = random_embedding(998)
        everyone = self.index.compare_all(probe)
        assert sorted(everyone.employee_keys.tolist()) == sorted(self.model)
        for key, score, count in zip(
            everyone.employee_keys.tolist(),
            everyone.similarities.tolist(),
            everyone.photo_counts.tolist(),
            strict=True,
        ):
            assert score == pytest.approx(float(self.model[key].centroid @ probe), abs=1e-5)
            assert count == len(self.model[key].photos)

    @invariant()
    def size_and_revision_are_right(self) -> None:
        assert self.index.size == len(self.model)
        assert self.index.revision in (self.revision, -1)


TestIndexAgainstExhaustiveSearch = IndexAgainstExhaustiveSearch.TestCase
TestIndexAgainstExhaustiveSearch.settings = settings(
    max_examples=40, stateful_step_count=20, deadline=None
)


def test_an_empty_index_knows_nobody() -> None:
    index = FaissGalleryIndex(DIM)
    assert index.closest_photos(random_embedding(1), [1]) == {}
    assert len(index.compare_all(random_embedding(1)).employee_keys) == 0
    assert index.revision == -1


def test_embeddings_of_another_size_are_refused_and_change_nothing() -> None:
    index = FaissGalleryIndex(DIM)
    index.upsert(entry(1, 1), 1)
    foreign = as_embedding([1.0, 0.0])
    with pytest.raises(ValueError, match="index"):
        index.upsert(GalleryEntry(2, foreign, ((7, foreign),)), 2)
    assert (index.size, index.revision) == (1, 1)
    with pytest.raises(ValueError, match="twice"):
        index.replace_all([entry(3, 1), entry(3, 2)], 5)
    assert (index.size, index.revision) == (1, 1)


@pytest.mark.parametrize(("people", "limit"), [(3, 5), (5, 5), (6, 5), (11, 10), (100, 7)])
def test_a_sample_takes_as_many_as_may_be_from_all_over(people: int, limit: int) -> None:
    index = FaissGalleryIndex(DIM)
    entries = [entry(key, key) for key in range(1, people + 1)]
    index.replace_all(entries, 1)
    sample = index.sample_centroids(limit)
    whose = [int(np.argmax([e.centroid @ row for e in entries])) for row in sample]
    assert len(whose) == len(set(whose)) == min(people, limit)
    gaps = np.diff([*whose, people])
    assert whose[0] == 0
    assert gaps.max() - gaps.min() <= 1


def test_an_empty_index_has_nobody_to_sample() -> None:
    assert FaissGalleryIndex(DIM).sample_centroids(5).shape == (0, DIM)


def test_a_search_uses_one_thread_whichever_thread_asks() -> None:
    """In a process of its own: these tests allow OpenMP one thread, and then nothing could fail."""
    script = """
import time, threading
import numpy as np
from app.domain.employees import GalleryEntry
from app.search.faiss_index import FaissGalleryIndex
rows = np.random.default_rng(0).standard_normal((20_000, 256), dtype=np.float32)
index = FaissGalleryIndex(256)
index.replace_all([GalleryEntry(key, row, ()) for key, row in enumerate(rows)], 1)
shares = []
def search():
    own, whole = time.thread_time(), time.process_time()
    for _ in range(60):
        index.compare_all(rows[0])
    shares.append((time.process_time() - whole) / (time.thread_time() - own))
asker = threading.Thread(target=search)
asker.start()
asker.join()
assert shares[0] < 1.3, shares
"""
    environment = {**os.environ, "OMP_NUM_THREADS": "4", "OPENBLAS_NUM_THREADS": "4"}
    subprocess.run([sys.executable, "-c", script], check=True, env=environment)


def test_searches_beside_changes_never_see_half_a_change() -> None:
    index = FaissGalleryIndex(DIM)
    for key in range(1, 60):
        index.upsert(entry(key, key), key)
    stop = threading.Event()
    faults: list[BaseException] = []

    def search() -> None:
        try:
            while not stop.is_set():
                closest = index.closest_photos(random_embedding(3), range(1, 60))
                assert len(closest) >= 58
                everyone = index.compare_all(random_embedding(3))
                assert len(set(everyone.employee_keys.tolist())) == len(everyone.employee_keys)
                assert len(everyone.employee_keys) == len(everyone.photo_counts)
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=search) for _ in range(4)]
    for thread in threads:
        thread.start()
    for step in range(300):
        key = step % 59 + 1
        index.remove(key, step)
        index.upsert(entry(key, step), step)
    stop.set()
    for thread in threads:
        thread.join()
    assert faults == []
