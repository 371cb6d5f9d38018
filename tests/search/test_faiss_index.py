from __future__ import annotations

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
    """Any series of changes leaves an index that ranks as a plain dictionary does."""

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
    def ranks_as_exhaustive_search_does(self) -> None:
        probe = random_embedding(999)
        expected = sorted(
            ((float(e.centroid @ probe), key) for key, e in self.model.items()),
            key=lambda pair: (-pair[0], pair[1]),
        )
        ranked = self.index.rank(probe, 5)
        assert [one.similarity for one in ranked] == pytest.approx(
            [score for score, _ in expected[:5]], abs=1e-5
        )
        for one in ranked:
            truth = self.model[one.employee_key]
            assert one.similarity == pytest.approx(float(truth.centroid @ probe), abs=1e-5)
            nearest = max(float(e @ probe) for _, e in truth.photos)
            assert one.closest_photo_similarity == pytest.approx(nearest, abs=1e-5)
            assert one.photo_count == len(truth.photos)

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


def test_an_empty_index_ranks_nobody() -> None:
    index = FaissGalleryIndex(DIM)
    assert index.rank(random_embedding(1), 5) == []
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


def test_searches_beside_changes_never_see_half_a_change() -> None:
    index = FaissGalleryIndex(DIM)
    for key in range(1, 60):
        index.upsert(entry(key, key), key)
    stop = threading.Event()
    faults: list[BaseException] = []

    def search() -> None:
        try:
            while not stop.is_set():
                ranked = index.rank(random_embedding(3), 10)
                assert len({one.employee_key for one in ranked}) == len(ranked) == 10
                everyone = index.compare_all(random_embedding(3))
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
