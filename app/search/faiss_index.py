"""The searchable copy of the registry: exact inner products over centroids and photos.

Exact flat search, because up to 100,000 people it takes milliseconds and never misses; what is
searched approximately would have to be proved at every door. Centroids rank; the photos behind them
tell how near the nearest single photo is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import faiss
import numpy as np
import numpy.typing as npt

from app.domain.embeddings import Embedding
from app.domain.employees import GalleryEntry
from app.domain.matching import GallerySimilarities, RankedEmployee
from app.search.locks import ReadWriteLock


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
        """Return the similarity of ``probe`` to every employee's centroid."""
        with self._lock.reading():
            gallery = self._gallery
            keys: npt.NDArray[np.int64] = faiss.vector_to_array(gallery.centroids.id_map)
            similarities = _stored_vectors(gallery.centroids, self._dim) @ probe
            counts = np.asarray([len(gallery.photos_of[int(k)]) for k in keys], dtype=np.int64)
        return GallerySimilarities(keys, similarities.astype(np.float32), counts)

    def rank(self, probe: Embedding, limit: int) -> list[RankedEmployee]:
        """Return the ``limit`` nearest employees by centroid, nearest first; ties by key."""
        with self._lock.reading():
            gallery = self._gallery
            wanted = min(limit, gallery.centroids.ntotal)
            if wanted <= 0:
                return []
            found, keys = gallery.centroids.search(self._matrix([probe]), wanted)
            ranked = [
                RankedEmployee(
                    employee_key=int(key),
                    similarity=float(np.clip(value, -1.0, 1.0)),
                    closest_photo_similarity=self._closest_photo(gallery, int(key), probe),
                    photo_count=len(gallery.photos_of[int(key)]),
                )
                for value, key in zip(found[0], keys[0], strict=True)
                if key != -1
            ]
        return sorted(ranked, key=lambda one: (-one.similarity, one.employee_key))

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


def _stored_vectors(index: faiss.IndexIDMap2, dim: int) -> npt.NDArray[np.float32]:
    """Return the index's own memory as a matrix ``(N, dim)``; valid until the next change."""
    count: int = index.ntotal
    if count == 0:
        return np.zeros((0, dim), dtype=np.float32)
    flat = cast(faiss.IndexFlat, faiss.downcast_index(index.index))
    stored: npt.NDArray[np.float32] = faiss.rev_swig_ptr(flat.get_xb(), count * dim)
    return stored.reshape(count, dim)


def limit_faiss_threads(threads: int) -> None:
    """Set how many threads one search uses. Call once, before any search."""
    faiss.omp_set_num_threads(threads)
