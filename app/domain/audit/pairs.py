"""Pairs of people: who may be one person under two ids, and who is confused with another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.domain.audit.alike import AlikePairs, alike_limits
from app.domain.audit.candidates import candidate_pairs, compare_corrected
from app.domain.audit.comparisons import BetweenBlocks, Comparisons
from app.domain.audit.gallery import AuditGallery, FloatArray, IntArray
from app.domain.audit.result import AuditThresholds, PairFinding, PersonPair
from app.domain.calibration import Calibration
from app.domain.embeddings import directions

#: How much less the photos of two ids may agree than those of one of them and still be one person.
AGREEMENT_TOLERANCE = 0.05
_ROWS_PER_BLOCK = 8192


@dataclass(frozen=True)
class PairFigures:
    """What is known of K pairs; each array is ``(K,)``, ``people`` is ``(K, 2)``.

    ``truncated``: more pairs are alike than are kept, and the least alike of them are not here.
    """

    people: IntArray
    centroid_similarity: FloatArray
    photo_similarity: FloatArray
    ratio: FloatArray
    mean_similarity: FloatArray
    own_mean_similarity: FloatArray
    duplicate: npt.NDArray[np.bool_]
    confusable: npt.NDArray[np.bool_]
    told_apart: npt.NDArray[np.bool_]
    truncated: bool


def measure_pairs(
    gallery: AuditGallery,
    comparisons: Comparisons,
    alike: AlikePairs,
    misplaced: npt.NDArray[np.bool_],
    thresholds: AuditThresholds,
    calibration: Calibration,
    between_blocks: BetweenBlocks,
) -> PairFigures:
    """Measure the nearest pairs and all ``alike``, without the ``misplaced`` photos ``(P,)``.

    Without them, because a photo that lies under another's id makes two people one. A pair is to be
    named where a photo of one reaches the other as ``alike_limits`` asks, or where the centroids
    reach the threshold of the enrollment guard, which would ask about the two.
    """
    sums = gallery.sums(~misplaced)
    counts = np.bincount(gallery.owners[~misplaced], minlength=len(sums)).astype(np.int64)
    centroids = directions(sums).astype(np.float32)
    compare_corrected(gallery, alike, misplaced, centroids, between_blocks)
    people, truncated = candidate_pairs(gallery, comparisons, alike, counts)
    first, second = people[:, 0], people[:, 1]
    products = _row_products(sums, first, second)
    within = _agreement_within(sums, counts)
    usual = float(np.nanmedian(within)) if np.isfinite(within).any() else thresholds.verify
    own = np.fmin(within[first], within[second])
    own = np.where(np.isnan(own), usual, own)
    photo_similarity, ratio = _closest_photos(
        gallery, people, centroids, counts, misplaced, calibration, between_blocks
    )
    mean = products / (counts[first] * counts[second])
    centroid_similarity = _row_products(centroids, first, second)
    limits = alike_limits(thresholds, calibration, counts, len(sums))
    named = (photo_similarity >= np.minimum(limits[first], limits[second])) | (
        centroid_similarity >= thresholds.duplicate
    )
    told_apart = np.array([tuple(pair) in gallery.told_apart for pair in people.tolist()], bool)
    duplicate = named & (mean >= own - AGREEMENT_TOLERANCE) & ~told_apart
    return PairFigures(
        people=people,
        centroid_similarity=centroid_similarity,
        photo_similarity=photo_similarity,
        ratio=ratio,
        mean_similarity=mean,
        own_mean_similarity=own,
        duplicate=duplicate,
        confusable=named & ~duplicate,
        told_apart=told_apart,
        truncated=truncated,
    )


def list_pairs(
    gallery: AuditGallery, figures: PairFigures, chosen: npt.NDArray[np.bool_], limit: int
) -> tuple[PersonPair, ...]:
    """Return up to ``limit`` of the ``chosen`` pairs ``(K,)``, the most alike first."""
    numbers = np.flatnonzero(chosen)
    order = np.argsort(-figures.photo_similarity[numbers], kind="stable")
    return tuple(_pair(gallery, figures, int(number)) for number in numbers[order][:limit])


def _pair(gallery: AuditGallery, figures: PairFigures, number: int) -> PersonPair:
    finding = PairFinding.NOTHING
    if figures.confusable[number]:
        finding = PairFinding.CONFUSABLE
    if figures.duplicate[number]:
        finding = PairFinding.POSSIBLE_DUPLICATE
    first, second = figures.people[number].tolist()
    return PersonPair(
        first_employee_id=gallery.employee_ids[first],
        second_employee_id=gallery.employee_ids[second],
        finding=finding,
        centroid_similarity=float(figures.centroid_similarity[number]),
        photo_similarity=float(figures.photo_similarity[number]),
        log_likelihood_ratio=float(figures.ratio[number]),
        mean_similarity=float(figures.mean_similarity[number]),
        own_mean_similarity=float(figures.own_mean_similarity[number]),
        told_apart=bool(figures.told_apart[number]),
    )


def _agreement_within(sums: FloatArray, counts: IntArray) -> FloatArray:
    """Return the mean similarity among each person's photos ``(N,)``; NaN for fewer than two."""
    pairs = np.where(counts > 1, counts * (counts - 1), np.nan)
    within: FloatArray = ((sums**2).sum(axis=1) - counts) / pairs
    return within


def _closest_photos(
    gallery: AuditGallery,
    people: IntArray,
    centroids: npt.NDArray[np.float32],
    counts: IntArray,
    misplaced: npt.NDArray[np.bool_],
    calibration: Calibration,
    between_blocks: BetweenBlocks,
) -> tuple[FloatArray, FloatArray]:
    """Return the highest photo-to-centroid similarity of each pair, and its likelihood ratio."""
    best = np.full(len(people), -1.0)
    ratio = np.full(len(people), -np.inf)
    starts = np.searchsorted(gallery.owners, np.arange(len(counts) + 1))
    for pairs, photos, others in _photo_rows(people, starts):
        scores = np.einsum("ij,ij->i", gallery.embeddings[photos], centroids[others])
        scores = np.clip(scores, -1.0, 1.0).astype(np.float64)
        ratios = calibration.log_likelihood_ratios(scores, counts[others])
        used = ~misplaced[photos]
        np.maximum.at(best, pairs[used], scores[used])
        np.maximum.at(ratio, pairs[used], ratios[used])
        between_blocks(1.0)
    return best, ratio


def _photo_rows(
    people: IntArray, starts: IntArray
) -> Iterator[tuple[IntArray, IntArray, IntArray]]:
    """Yield blocks of (pair, photo of one, the other person), both ways round."""
    directed = np.concatenate([people, people[:, ::-1]])
    numbers = np.tile(np.arange(len(people)), 2)
    for start in range(0, len(directed), _ROWS_PER_BLOCK):
        owners, others = directed[start : start + _ROWS_PER_BLOCK].T
        lengths = starts[owners + 1] - starts[owners]
        offsets = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        photos = np.repeat(starts[owners], lengths) + offsets
        some = numbers[start : start + _ROWS_PER_BLOCK]
        for part in range(0, len(photos), _ROWS_PER_BLOCK):
            rows = slice(part, part + _ROWS_PER_BLOCK)
            yield (
                np.repeat(some, lengths)[rows],
                photos[rows],
                np.repeat(others, lengths)[rows],
            )


def _row_products(rows: npt.NDArray[np.floating], first: IntArray, second: IntArray) -> FloatArray:
    """Return the inner products of rows ``first`` with rows ``second``, ``(K,)``, in blocks."""
    products = np.empty(len(first))
    for start in range(0, len(first), _ROWS_PER_BLOCK):
        some = slice(start, start + _ROWS_PER_BLOCK)
        products[some] = np.einsum("ij,ij->i", rows[first[some]], rows[second[some]])
    return products
