"""Every photo of a gallery against everybody in it, in blocks of bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.domain.audit.alike import AlikePairs
from app.domain.audit.gallery import AuditGallery, FloatArray, IntArray
from app.domain.calibration import Calibration
from app.domain.embeddings import directions

#: Called between two blocks with the share of the work that is done, 0 to 1.
BetweenBlocks = Callable[[float], None]

#: Similarities at a time: a few milliseconds of one core, and 1 to 2 MB an array.
BLOCK_SIMILARITIES = 1 << 18
BIN_COUNT = 100


@dataclass(frozen=True)
class Comparisons:
    """What the comparisons of P photos with the centroids of N people found.

    ``own``: similarity of a photo to the centroid of its person's other photos, NaN where there is
    none ``(P,)``. ``likeliest`` and ``likeliest_ratio``: which other person is likeliest, by the
    log-likelihood ratio, and that ratio ``(P,)``. ``nearest_person``: whose centroid is nearest to
    each person's ``(N,)``. ``alarms``: whether the photo reaches somebody else's last threshold
    ``(P,)``. ``reached``: for each threshold, how many comparisons of a photo with
    somebody else reached it. ``impostor_bins``: the same comparisons, counted in
    ``BIN_COUNT`` equal bins from -1 to 1.
    """

    own: FloatArray
    likeliest: IntArray
    likeliest_ratio: FloatArray
    nearest_person: IntArray
    alarms: npt.NDArray[np.bool_]
    reached: tuple[int, ...]
    impostor_bins: IntArray


def compare_everybody(
    gallery: AuditGallery,
    calibration: Calibration,
    thresholds: tuple[FloatArray, ...],
    alike: AlikePairs,
    between_blocks: BetweenBlocks,
) -> Comparisons:
    """Compare every photo with its own person's other photos and with everybody else.

    ``thresholds`` hold the limits against each person, ``(N,)``; the last one raises alarms.
    Into ``alike`` go the pairs of people who reach its limits, by a photo or by their centroids.
    """
    counts = gallery.photo_counts
    sums = gallery.sums()
    centroids = directions(sums).astype(np.float32)
    slopes, intercepts = _lines(calibration, counts)
    photo_count, people_count = len(gallery.owners), len(counts)
    found = Comparisons(
        own=np.full(photo_count, np.nan),
        likeliest=np.zeros(photo_count, np.int64),
        likeliest_ratio=np.full(photo_count, -np.inf),
        nearest_person=np.zeros(people_count, np.int64),
        alarms=np.zeros(photo_count, np.bool_),
        reached=(0,) * len(thresholds),
        impostor_bins=np.zeros(BIN_COUNT, np.int64),
    )
    reached = np.zeros(len(thresholds), np.int64)
    limits = [threshold.astype(np.float32) for threshold in thresholds]
    whole = photo_count + people_count
    for rows in blocks(photo_count, people_count):
        photos, owners = gallery.embeddings[rows], gallery.owners[rows]
        found.own[rows] = _to_own_rest(photos, sums[owners], counts[owners])
        scores = _to_others(photos, centroids, owners)
        ratios = scores * slopes + intercepts
        ratios[np.arange(len(owners)), owners] = -np.inf
        found.likeliest[rows] = ratios.argmax(axis=1)
        found.likeliest_ratio[rows] = ratios.max(axis=1)
        over = [scores >= threshold for threshold in limits]
        found.alarms[rows] = over[-1].any(axis=1)
        reached += [int(np.count_nonzero(each)) for each in over]
        found.impostor_bins[:] += similarity_bins(scores)
        found.impostor_bins[0] -= len(owners)  # a photo against its own person stands at -1
        alike.add_photos(scores, owners)
        between_blocks(rows.stop / whole)
    for rows in blocks(people_count, people_count):
        people = np.arange(rows.start, rows.stop)
        scores = _to_others(centroids[rows], centroids, people)
        found.nearest_person[rows] = scores.argmax(axis=1)
        alike.add_centroids(scores, people)
        between_blocks((photo_count + rows.stop) / whole)
    return Comparisons(**{**vars(found), "reached": tuple(reached.tolist())})


def similarities(
    rows: npt.NDArray[np.float32], others: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Return the similarities ``(R, K)`` of unit rows ``(R, D)`` and ``(K, D)``."""
    scores: npt.NDArray[np.float32] = rows @ others.T
    return np.clip(scores, -1.0, 1.0, out=scores)


def similarity_bins(measured: npt.NDArray[np.floating]) -> IntArray:
    """Return how many similarities lie in each of ``BIN_COUNT`` equal bins from -1 to 1."""
    half = BIN_COUNT / 2
    numbers = np.clip((measured.ravel() + 1.0) * half, 0, BIN_COUNT - 1).astype(np.int64)
    return np.bincount(numbers, minlength=BIN_COUNT).astype(np.int64)


def _lines(
    calibration: Calibration, counts: IntArray
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return slope and intercept of the line for each person's number of photos, ``(N,)``."""
    zeros = np.zeros(len(counts))
    intercepts = calibration.log_likelihood_ratios(zeros, counts)
    slopes = calibration.log_likelihood_ratios(zeros + 1.0, counts) - intercepts
    return slopes.astype(np.float32), intercepts.astype(np.float32)


def blocks(rows: int, columns: int) -> Iterator[slice]:
    """Yield slices of ``rows``, each of a block's similarities with ``columns``."""
    size = max(1, BLOCK_SIMILARITIES // max(1, columns))
    for start in range(0, rows, size):
        yield slice(start, min(rows, start + size))


def _to_own_rest(
    photos: npt.NDArray[np.float32], sums: FloatArray, counts: IntArray
) -> npt.NDArray[np.float64]:
    rest = directions(sums - photos).astype(np.float32)
    scores = np.einsum("ij,ij->i", photos, rest).astype(np.float64)
    own: npt.NDArray[np.float64] = np.where(counts > 1, scores, np.nan)
    return own


def _to_others(
    rows: npt.NDArray[np.float32], centroids: npt.NDArray[np.float32], owners: IntArray
) -> npt.NDArray[np.float32]:
    """Return similarities ``(rows, N)``, -1 where a row would meet its own person."""
    scores = similarities(rows, centroids)
    scores[np.arange(len(owners)), owners] = -1.0
    return scores
