"""Error rates of a gallery by its own photos, with intervals."""

from __future__ import annotations

import numpy as np

from app.domain.audit.comparisons import Comparisons, similarity_bins
from app.domain.audit.gallery import AuditGallery
from app.domain.audit.result import AuditRate, AuditThresholds, SimilarityHistogram
from app.domain.intervals import Rate, clopper_pearson


def thresholds_asked(thresholds: AuditThresholds) -> tuple[float, float]:
    """Return the thresholds at which different people are counted, in the order used here."""
    return thresholds.verify, thresholds.identify


def measure_rates(
    gallery: AuditGallery, comparisons: Comparisons, thresholds: AuditThresholds
) -> tuple[AuditRate, ...]:
    """Return FNMR, FMR and FPIR at the thresholds in force.

    FNMR: each photo against the centroid of its person's other photos, so that only people of two
    photos or more count. FMR: each photo against everybody else's centroid. FPIR: each photo as
    that of a stranger to the gallery without its person. The intervals take the trials for
    independent; those of one person are not, which is why FPIR is counted by people as well.
    """
    people = len(gallery.employee_ids)
    own = comparisons.own[~np.isnan(comparisons.own)]
    verify_matches, identify_matches = comparisons.reached
    pairs = len(gallery.owners) * (people - 1)
    alarms = comparisons.nearest >= thresholds.identify
    strangers = len(alarms) if people > 1 else 0
    alarmed = len(np.unique(gallery.owners[alarms])) if people > 1 else 0
    verify, identify = thresholds.verify, thresholds.identify

    def rate(name: str, meaning: str, threshold: float, errors: int, trials: int) -> AuditRate:
        return AuditRate(name, meaning, threshold, _rate(errors, trials))

    return (
        rate(
            "fnmr_verify",
            "an own photo is refused at 1:1 (against the person's other photos)",
            verify,
            int((own < verify).sum()),
            len(own),
        ),
        rate(
            "fnmr_identify",
            "an own photo does not reach the threshold of 1:N",
            identify,
            int((own < identify).sum()),
            len(own),
        ),
        rate(
            "fmr_verify",
            "a photo is taken for one given other person at 1:1",
            verify,
            verify_matches,
            pairs,
        ),
        rate(
            "fmr_identify",
            "a photo reaches the threshold of 1:N with one given other person",
            identify,
            identify_matches,
            pairs,
        ),
        rate(
            "fpir_photos",
            "a photo of somebody not enrolled is taken for somebody who is",
            identify,
            int(alarms.sum()) if people > 1 else 0,
            strangers,
        ),
        rate(
            "fpir_people",
            "any photo of a person, not enrolled, is taken for somebody who is",
            identify,
            alarmed,
            people if people > 1 else 0,
        ),
    )


def similarity_histogram(comparisons: Comparisons) -> SimilarityHistogram:
    """Return how similarities are spread, of one person's photos and of different people."""
    own = comparisons.own[~np.isnan(comparisons.own)]
    return SimilarityHistogram(
        tuple(similarity_bins(own).tolist()), tuple(comparisons.impostor_bins.tolist())
    )


def _rate(errors: int, trials: int) -> Rate | None:
    return clopper_pearson(errors, trials) if trials else None
