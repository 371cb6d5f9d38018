"""The searchable copy of the registry: exact inner products over centroids and photos.

Exact flat search, because up to 100,000 people it takes milliseconds and never misses; what is
searched approximately would have to be proved at every door. Centroids are compared with all
of them; the photos behind them give the similarity of the closest single photo.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import faiss
import numpy as np
import numpy.typing as npt

from app.domain.embeddings import Embedding
from app.domain.employees import GalleryEntry
from app.domain.matching import GallerySimilarities
from app.search.locks import ReadWriteLock

#: Below every cosine: a range search from here finds the whole gallery.
_EVERYBODY = -2.0


@dataclass
class _Gallery:
    """One whole state of the index; a rebuild makes a new one and swaps it in."""

    centroids: faiss.IndexIDMap2
    photos: faiss.IndexIDMap2
    photos_of: dict[int, tuple[int, ...]] = field(default_factory=dict)
    revision: int = -1


class FaissGalleryIndex:
    """Flat inner-product index. Searches run side by side; a change waits for them and runs alone.

    FAISS allows concurrent searches only, accepts NaN and duplicate ids in silence and pads misses
    with -1: embeddings are checked where they are made, ids are removed before they are added, and
    the padding is dropped here.
    """

    def __init__(self, embedding_dim: int) -> None:
        self._dim = embedding_dim
        self._lock = ReadWriteLock()
        self._gallery = self._empty()

    def _empty(self) -> _Gallery:
        return _Gallery(
            faiss.IndexIDMap2(faiss.IndexFlatIP(self._dim)),
            faiss.IndexIDMap2(faiss.IndexFlatIP(self._dim)),
        )

    @property
    def embedding_dim(self) -> int:
        """How many numbers each embedding in it has."""
        return self._dim

    @property
    def revision(self) -> int:
        """The registry revision that this index reflects; -1 before the first build."""
        return self._gallery.revision

    @property
    def size(self) -> int:
        """How many employees can be found."""
        return len(self._gallery.photos_of)

    def replace_all(self, entries: Sequence[GalleryEntry], revision: int) -> None:
        """Build the index anew, beside the one that answers, and swap it in."""
        fresh = self._empty()
        if entries:
            keys = np.asarray([entry.employee_key for entry in entries], dtype=np.int64)
            if len(np.unique(keys)) != len(keys):
                raise ValueError("an employee stands in the gallery twice")
            fresh.centroids.add_with_ids(self._matrix([e.centroid for e in entries]), keys)
            photos = [photo for entry in entries for photo in entry.photos]
            if photos:
                photo_keys = np.asarray([key for key, _ in photos], dtype=np.int64)
                fresh.photos.add_with_ids(self._matrix([e for _, e in photos]), photo_keys)
        fresh.photos_of = {e.employee_key: tuple(key for key, _ in e.photos) for e in entries}
        fresh.revision = revision
        with self._lock.writing():
            self._gallery = fresh

    def upsert(self, entry: GalleryEntry, revision: int) -> None:
        """Add or replace one employee."""
        centroid = self._matrix([entry.centroid])
        vectors = self._matrix([embedding for _, embedding in entry.photos])
        keys = np.asarray([key for key, _ in entry.photos], dtype=np.int64)
        with self._lock.writing():
            self._forget(entry.employee_key)
            gallery = self._gallery
            gallery.centroids.add_with_ids(centroid, np.asarray([entry.employee_key], np.int64))
            if len(keys):
                gallery.photos.add_with_ids(vectors, keys)
            gallery.photos_of[entry.employee_key] = tuple(int(key) for key in keys)
            gallery.revision = revision

    def remove(self, employee_key: int, revision: int) -> None:
        """Forget one employee; nothing happens where it is unknown."""
        with self._lock.writing():
            self._forget(employee_key)
            self._gallery.revision = revision

    def _forget(self, employee_key: int) -> None:
        photo_keys = self._gallery.photos_of.pop(employee_key, None)
        if photo_keys is None:
            return
        self._gallery.centroids.remove_ids(_selector([employee_key]))
        if photo_keys:
            self._gallery.photos.remove_ids(_selector(photo_keys))

    def compare_all(self, probe: Embedding) -> GallerySimilarities:
        """Return the similarity of ``probe`` to every employee's centroid; on one thread."""
        faiss.omp_set_num_threads(1)  # OpenMP keeps this number for each thread that calls
        with self._lock.reading():
            gallery = self._gallery
            _, found, keys = gallery.centroids.range_search(self._matrix([probe]), _EVERYBODY)
            counts = np.asarray([len(gallery.photos_of[int(k)]) for k in keys], dtype=np.int64)
        return GallerySimilarities(keys.astype(np.int64), np.clip(found, -1.0, 1.0), counts)

    def sample_centroids(self, limit: int) -> npt.NDArray[np.float32]:
        """Return up to ``limit`` employees' centroids ``(N, D)``, spread over the gallery."""
        with self._lock.reading():
            gallery = self._gallery
            keys = sorted(gallery.photos_of)
            count = min(limit, len(keys))
            chosen = [keys[step * len(keys) // count] for step in range(count)]
            rows = [np.asarray(gallery.centroids.reconstruct(key)) for key in chosen]
        return self._matrix(rows)

    def closest_photos(self, probe: Embedding, employee_keys: Sequence[int]) -> dict[int, float]:
        """Return the similarity of each employee's nearest photo; unknown keys are left out."""
        with self._lock.reading():
            gallery = self._gallery
            return {
                key: self._closest_photo(gallery, key, probe)
                for key in employee_keys
                if gallery.photos_of.get(key)
            }

    def _closest_photo(self, gallery: _Gallery, employee_key: int, probe: Embedding) -> float:
        photo_keys = gallery.photos_of[employee_key]
        vectors = np.stack([gallery.photos.reconstruct(key) for key in photo_keys])
        return float(np.clip((vectors @ probe).max(), -1.0, 1.0))

    def _matrix(self, embeddings: Sequence[Embedding]) -> npt.NDArray[np.float32]:
        matrix = np.zeros((len(embeddings), self._dim), dtype=np.float32)
        for row, embedding in enumerate(embeddings):
            if embedding.shape != (self._dim,):
                raise ValueError(f"an embedding has {embedding.shape}, the index {self._dim}")
            matrix[row] = embedding
        return matrix


def _selector(keys: Sequence[int]) -> faiss.IDSelectorBatch:
    return faiss.IDSelectorBatch(np.asarray(keys, dtype=np.int64))
