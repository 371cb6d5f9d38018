"""What a decision costs as the gallery grows, and what the index takes of memory and time."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt
import psutil
from pydantic import BaseModel

from app.domain.calibration import gallery_posterior
from app.domain.decision import Evidence, decide
from app.domain.employees import GalleryEntry
from app.domain.matching import most_probable
from app.domain.model_manifest import ModelManifest
from app.search.faiss_index import FaissGalleryIndex
from tools.bench.timing import take_turns

SIZES = (100, 1_000, 10_000, 100_000, 1_000_000)
_CLUSTERS = 50
_SPREAD = 0.9
_CANDIDATES = 10
_BLOCK = 50_000


class GalleryCost(BaseModel):
    """One size of gallery: milliseconds of CPU a query, by part, and of one change.

    ``build_seconds`` and ``memory_mib`` are of the whole index; ``recall``: how often the person
    found first is the one that a product in double precision finds first.
    """

    people: int
    search_ms: float
    decision_ms: float
    change_ms: float
    build_seconds: float
    memory_mib: float
    recall: float


def measure_galleries(
    manifest: ModelManifest, sizes: Sequence[int], rounds: int
) -> list[GalleryCost]:
    """Return the cost of each size, of people in clusters, one photo each."""
    return [_measure(manifest, size, rounds) for size in sizes]


def _measure(manifest: ModelManifest, people: int, rounds: int) -> GalleryCost:
    gc.collect()
    before = psutil.Process().memory_info().rss
    index = FaissGalleryIndex(manifest.embedding_dim)
    rng = np.random.default_rng(people)
    started = time.process_time()
    index.replace_all(list(_entries(people, manifest.embedding_dim, rng)), 1)
    build_seconds = time.process_time() - started
    gc.collect()
    memory = psutil.Process().memory_info().rss - before
    probes = _probes(index, people, rng)
    needed = manifest.identify.similarity

    def conclude(probe: npt.NDArray[np.float32]) -> None:
        evidence = Evidence.of(index.compare_all(probe), manifest.calibration)
        gallery_posterior(evidence.ratios[0], 0.01)
        most_probable(evidence.ratios[0], evidence.keys, _CANDIDATES)
        decide(evidence, lambda _: needed, lambda _: ())

    changed = GalleryEntry(people // 2 + 1, probes[0], ((people // 2 + 1, probes[0]),))
    costs = take_turns(
        {
            "search": partial(index.compare_all, probes[0]),
            "whole": partial(conclude, probes[0]),
            "change": partial(index.upsert, changed, 2),
        },
        rounds,
    )
    return GalleryCost(
        people=people,
        search_ms=costs["search"].cpu_ms,
        decision_ms=max(0.0, costs["whole"].cpu_ms - costs["search"].cpu_ms),
        change_ms=costs["change"].cpu_ms,
        build_seconds=build_seconds,
        memory_mib=memory / 2**20,
        recall=_recall(index, probes),
    )


def _entries(people: int, dim: int, rng: np.random.Generator) -> Iterator[GalleryEntry]:
    """Yield people whose embeddings lie in clusters, as those of one staff do."""
    centres = rng.standard_normal((_CLUSTERS, dim), dtype=np.float32)
    for start in range(0, people, _BLOCK):
        count = min(_BLOCK, people - start)
        rows = centres[rng.integers(0, _CLUSTERS, count)]
        rows = rows + _SPREAD * rng.standard_normal((count, dim), dtype=np.float32)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        for number, row in enumerate(rows, start + 1):
            yield GalleryEntry(number, row, ((number, row),))


def _probes(
    index: FaissGalleryIndex, people: int, rng: np.random.Generator
) -> list[npt.NDArray[np.float32]]:
    """Return other photos of some of the people."""
    rows = index.sample_centroids(min(people, 20))
    noise = rng.standard_normal(rows.shape, dtype=np.float32) / np.sqrt(rows.shape[1])
    moved = rows + 0.8 * noise.astype(np.float32)
    return list(moved / np.linalg.norm(moved, axis=1, keepdims=True))


def _recall(index: FaissGalleryIndex, probes: Sequence[npt.NDArray[np.float32]]) -> float:
    everyone = index.sample_centroids(index.size)
    agreed = 0
    for probe in probes:
        best = max(
            (
                float((block := everyone[start : start + _BLOCK].astype(float) @ probe).max()),
                start + int(block.argmax()),
            )
            for start in range(0, len(everyone), _BLOCK)
        )
        compared = index.compare_all(probe)
        agreed += int(compared.employee_keys[compared.similarities.argmax()]) == best[1] + 1
    return agreed / len(probes)
