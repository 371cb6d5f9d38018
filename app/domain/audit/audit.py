"""One audit of a gallery, from photos to advice; plain arithmetic in blocks, no input or output."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from app.domain.audit.advice import advise
from app.domain.audit.alike import AlikePairs, alike_limits
from app.domain.audit.comparisons import BetweenBlocks, Comparisons, compare_everybody
from app.domain.audit.gallery import AuditGallery, FloatArray
from app.domain.audit.outliers import list_outliers, mark_outliers
from app.domain.audit.pairs import list_pairs, measure_pairs
from app.domain.audit.rates import measure_rates, similarity_histogram, thresholds_of_people
from app.domain.audit.result import AuditResult, AuditThresholds, UnrecognisablePhoto
from app.domain.audit.weakness import good_photo_limits, list_weak
from app.domain.calibration import Calibration
from app.domain.faces import ENROLLMENT_LIMITS

LISTED = 100
NEAREST_LISTED = 10


def audit(
    gallery: AuditGallery,
    thresholds: AuditThresholds,
    calibration: Calibration,
    between_blocks: BetweenBlocks,
    listed: int = LISTED,
    unrecognisable: Sequence[UnrecognisablePhoto] = (),
) -> AuditResult:
    """Audit a gallery by itself; lists are cut at ``listed``.

    P photos against N people take P * N inner products and memory for a few blocks beside the
    embeddings. ``unrecognisable`` photos are named and are not in the gallery. ``between_blocks``
    hears how much is done, 0 to 1; what it raises ends the audit.
    Raises ``ValueError`` for a gallery without photos.
    """
    if not len(gallery.owners):
        raise ValueError("there is no photo to audit")
    alike, comparisons = _compared(gallery, thresholds, calibration, between_blocks)
    marks = mark_outliers(gallery, comparisons, calibration)
    outliers = list_outliers(
        gallery, comparisons, marks, _likeliest_similarity(gallery, comparisons, calibration)
    )
    pairs = measure_pairs(
        gallery,
        comparisons,
        alike,
        marks.nearer_to_another,
        thresholds,
        calibration,
        between_blocks,
    )
    weak = list_weak(gallery, good_photo_limits(ENROLLMENT_LIMITS))
    result = AuditResult(
        people_count=len(gallery.employee_ids),
        photo_count=len(gallery.owners),
        thresholds=thresholds,
        rates=measure_rates(gallery, comparisons, thresholds),
        histogram=similarity_histogram(comparisons),
        possible_duplicate_count=int(pairs.duplicate.sum()),
        possible_duplicates=list_pairs(gallery, pairs, pairs.duplicate, listed),
        confusable_count=int(pairs.confusable.sum()),
        confusable_pairs=list_pairs(gallery, pairs, pairs.confusable, listed),
        nearest_pairs=list_pairs(gallery, pairs, np.ones(len(pairs.people), bool), NEAREST_LISTED),
        pairs_cut=pairs.truncated,
        outlier_count=len(outliers),
        outliers=outliers[:listed],
        weak_count=len(weak),
        weak_enrollments=weak[:listed],
        unrecognisable_count=len(unrecognisable),
        unrecognisable_photos=tuple(unrecognisable[:listed]),
        advice=(),
    )
    return dataclasses.replace(result, advice=advise(result))


def _compared(
    gallery: AuditGallery,
    thresholds: AuditThresholds,
    calibration: Calibration,
    between_blocks: BetweenBlocks,
) -> tuple[AlikePairs, Comparisons]:
    """Return who is alike, and every photo against everybody."""
    people = len(gallery.employee_ids)
    limits = alike_limits(thresholds, calibration, gallery.photo_counts, people)
    alike = AlikePairs(limits, thresholds.duplicate)
    needed = thresholds_of_people(thresholds, gallery.photo_counts)
    return alike, compare_everybody(gallery, calibration, needed, alike, between_blocks)


def _likeliest_similarity(
    gallery: AuditGallery, comparisons: Comparisons, calibration: Calibration
) -> FloatArray:
    """Return each photo's similarity to its likeliest other person, ``(P,)``, from the ratio.

    It is -inf in a gallery of one person.
    """
    counts = gallery.photo_counts[comparisons.likeliest]
    zeros = np.zeros(len(counts))
    intercepts = calibration.log_likelihood_ratios(zeros, counts)
    slopes = calibration.log_likelihood_ratios(zeros + 1.0, counts) - intercepts
    similarity: FloatArray = (comparisons.likeliest_ratio - intercepts) / slopes
    return similarity
