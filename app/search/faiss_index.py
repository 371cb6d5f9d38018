"""The searchable copy of the registry: exact inner products with every employee's centroid.

Exact flat search, because up to 100,000 people it takes milliseconds and never misses; what is
searched approximately would have to be proved at every door. Rows stand in the order of the
employees' keys, so that a search gives its answer as arrays and nothing is done person by person.
The photos behind the centroids give the similarity of the closest single photo.
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

_Rows = npt.NDArray[np.float32]
_Keys = npt.NDArray[np.int64]


@dataclass
class _Gallery:
    """One whole state of the index; a rebuild makes a new one and swaps it in.

    Row n of ``centroids`` is of the employee ``keys[n]``; the keys ascend. ``photo_counts`` is
    parallel to them; ``photos`` holds each employee's embeddings, ``(P, D)``.
    """

    centroids: faiss.IndexFlatIP
    keys: _Keys
    photo_counts: _Keys
    photos: dict[int, _Rows] = field(default_factory=dict)
    revision: int = -1

    def row_of(self, key: int) -> tuple[int, bool]:
        """Return where the employee's row is or would be, and whether there is one."""
        row = int(np.searchsorted(self.keys, key))
        return row, row < len(self.keys) and int(self.keys[row]) == key

    def matrix(self) -> _Rows:
        """Return the centroids ``(N, D)`` themselves, not a copy; until the next change."""
        count, dim = self.centroids.ntotal, self.centroids.d
        if not count:
            return np.zeros((0, dim), np.float32)
        rows: _Rows = faiss.rev_swig_ptr(self.centroids.get_xb(), count * dim)
        return rows.reshape(count, dim)


class FaissGalleryIndex:
    """Flat inner-product index. Searches run side by side; a change waits for them and runs alone.

    FAISS accepts NaN in silence: embeddings are checked where they are made, their size here.
    """

    def __init__(self, embedding_dim: int) -> None:
        self._dim = embedding_dim
        self._lock = ReadWriteLock()
        self._gallery = self._with_rows([])

    def _with_rows(self, entries: Sequence[GalleryEntry]) -> _Gallery:
        """Return a state that holds ``entries``, which ascend by key."""
        centroids = faiss.IndexFlatIP(self._dim)
        if entries:
            centroids.add(self._matrix([entry.centroid for entry in entries]))
        return _Gallery(
            centroids,
            np.array([entry.employee_key for entry in entries], np.int64),
            np.array([len(entry.photos) for entry in entries], np.int64),
            {entry.employee_key: self._photo_rows(entry) for entry in entries},
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
        return len(self._gallery.keys)

    def replace_all(self, entries: Sequence[GalleryEntry], revision: int) -> None:
        """Build the index anew, beside the one that answers, and swap it in."""
        ascending = sorted(entries, key=lambda entry: entry.employee_key)
        fresh = self._with_rows(ascending)
        if (fresh.keys[1:] == fresh.keys[:-1]).any():
            raise ValueError("an employee stands in the gallery twice")
        fresh.revision = revision
        with self._lock.writing():
            self._gallery = fresh

    def upsert(self, entry: GalleryEntry, revision: int) -> None:
        """Add or replace one employee."""
        centroid, photos = self._matrix([entry.centroid]), self._photo_rows(entry)
        with self._lock.writing():
            gallery = self._gallery
            row, known = gallery.row_of(entry.employee_key)
            if known:
                gallery.matrix()[row] = centroid[0]
                gallery.photo_counts[row] = len(photos)
            else:
                self._insert(gallery, row, entry.employee_key, centroid, len(photos))
            gallery.photos[entry.employee_key] = photos
            gallery.revision = revision

    @staticmethod
    def _insert(
        gallery: _Gallery, row: int, employee_key: int, centroid: _Rows, photo_count: int
    ) -> None:
        """Make a new row; new employees come last, and only who comes back moves others."""
        behind = gallery.matrix()[row:].copy()
        gallery.centroids.add(centroid)
        if len(behind):
            gallery.matrix()[row:] = np.concatenate([centroid, behind])
        gallery.keys = np.insert(gallery.keys, row, employee_key)
        gallery.photo_counts = np.insert(gallery.photo_counts, row, photo_count)

    def remove(self, employee_key: int, revision: int) -> None:
        """Forget one employee; nothing happens where it is unknown."""
        with self._lock.writing():
            gallery = self._gallery
            row, known = gallery.row_of(employee_key)
            if known:
                gallery.centroids.remove_ids(faiss.IDSelectorRange(row, row + 1))
                gallery.keys = np.delete(gallery.keys, row)
                gallery.photo_counts = np.delete(gallery.photo_counts, row)
                del gallery.photos[employee_key]
            gallery.revision = revision

    def compare_all(self, probe: Embedding) -> GallerySimilarities:
        """Return the similarity of ``probe`` to every employee's centroid, by ascending key."""
        row = self._matrix([probe])[0]
        with self._lock.reading():
            gallery = self._gallery
            found = np.empty(len(gallery.keys), np.float32)
            if len(found):
                faiss.fvec_inner_products_ny(  # type: ignore[attr-defined]  # not in its stubs
                    faiss.swig_ptr(found),
                    faiss.swig_ptr(row),
                    gallery.centroids.get_xb(),
                    self._dim,
                    len(found),
                )
            # The counts are changed in place; the keys never are.
            keys, counts = gallery.keys, gallery.photo_counts.copy()
        return GallerySimilarities(keys, np.clip(found, -1.0, 1.0, out=found), counts)

    def sample_centroids(self, limit: int) -> npt.NDArray[np.float32]:
        """Return up to ``limit`` employees' centroids ``(N, D)``, spread over the gallery."""
        with self._lock.reading():
            rows = self._gallery.matrix()
            count = min(limit, len(rows))
            return rows[[step * len(rows) // count for step in range(count)]]

    def closest_photos(self, probe: Embedding, employee_keys: Sequence[int]) -> dict[int, float]:
        """Return the similarity of each employee's nearest photo; unknown keys are left out."""
        with self._lock.reading():
            photos = self._gallery.photos
            chosen = {key: rows for key in employee_keys if (rows := photos.get(key)) is not None}
        return {
            key: float(np.clip((rows @ probe).max(), -1.0, 1.0))
            for key, rows in chosen.items()
            if len(rows)
        }

    def _photo_rows(self, entry: GalleryEntry) -> _Rows:
        return self._matrix([embedding for _, embedding in entry.photos])

    def _matrix(self, embeddings: Sequence[Embedding]) -> npt.NDArray[np.float32]:
        matrix = np.zeros((len(embeddings), self._dim), dtype=np.float32)
        for row, embedding in enumerate(embeddings):
            if embedding.shape != (self._dim,):
                raise ValueError(f"an embedding has {embedding.shape}, the index {self._dim}")
            matrix[row] = embedding
        return matrix
