"""The pairs of people that an audit compares: the nearest, and all who reach a threshold."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from app.domain.audit.alike import AlikePairs
from app.domain.audit.comparisons import BetweenBlocks, Comparisons, blocks, similarities
from app.domain.audit.gallery import AuditGallery, IntArray


def candidate_pairs(
    gallery: AuditGallery, comparisons: Comparisons, alike: AlikePairs, counts: IntArray
) -> tuple[IntArray, bool]:
    """Return the pairs worth a look, ``(K, 2)``, and whether there were more than are kept.

    Every photo and every centroid with its nearest, and all pairs that are ``alike``. People
    without a photo, by ``counts`` ``(N,)``, are left out.
    """
    people = np.arange(len(counts))
    if len(people) < 2:
        return np.zeros((0, 2), np.int64), False
    reached, truncated = alike.kept()
    met = np.concatenate(
        [
            np.stack([gallery.owners, comparisons.likeliest], axis=1),
            np.stack([people, comparisons.nearest_person], axis=1),
            reached,
        ]
    )
    met = met[(counts[met] > 0).all(axis=1)]
    numbers = np.unique(met.min(axis=1) * len(people) + met.max(axis=1))
    return np.stack([numbers // len(people), numbers % len(people)], axis=1), truncated


def compare_corrected(
    gallery: AuditGallery,
    alike: AlikePairs,
    misplaced: npt.NDArray[np.bool_],
    centroids: npt.NDArray[np.float32],
    between_blocks: BetweenBlocks,
) -> None:
    """Add to ``alike`` who is close to people whose centroid lost ``misplaced`` photos.

    ``centroids`` ``(N, D)`` are those without these photos.
    """
    moved = np.unique(gallery.owners[misplaced])
    if not len(moved):
        return
    corrected, right = centroids[moved], np.flatnonzero(~misplaced)
    for rows in blocks(len(right), len(moved)):
        photos = right[rows]
        scores = similarities(gallery.embeddings[photos], corrected)
        alike.add_photos(scores, gallery.owners[photos], moved)
        between_blocks(1.0)
    for rows in blocks(len(centroids), len(moved)):
        people = np.arange(rows.start, rows.stop)
        alike.add_centroids(similarities(centroids[rows], corrected), people, moved)
        between_blocks(1.0)
