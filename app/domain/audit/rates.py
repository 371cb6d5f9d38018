"""Error rates of a gallery by its own photos, with intervals."""

from __future__ import annotations

import numpy as np

from app.domain.audit.comparisons import Comparisons, similarity_bins
from app.domain.audit.gallery import AuditGallery, FloatArray, IntArray
from app.domain.audit.result import AuditRate, AuditThresholds, SimilarityHistogram
from app.domain.intervals import clopper_pearson

MEANINGS = {
    "fnmr_verify": "an own photo is refused at 1:1 (against the person's other photos)",
    "fnmr_identify": "an own photo does not reach the threshold of 1:N",
    "fmr_verify": "a photo is taken for one given other person at 1:1",
    "fmr_identify": "a photo reaches the threshold of 1:N with one given other person",
    "fpir_photos": "a photo of somebody not enrolled is taken for somebody who is",
    "fpir_people": "any photo of a person, not enrolled, is taken for somebody who is",
}


def thresholds_of_people(
    thresholds: AuditThresholds, counts: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Return the thresholds at which different people are counted, 1:1 and 1:N, ``(N,)`` each.

    ``counts`` ``(N,)`` are everybody's photos.
    """
    return thresholds.verify_thresholds(counts), thresholds.identify_thresholds(counts)


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
    tried = ~np.isnan(comparisons.own)
    own, others = comparisons.own[tried], gallery.photo_counts[gallery.owners[tried]] - 1
    verify_matches, identify_matches = comparisons.reached
    pairs = len(gallery.owners) * (people - 1)
    alarms = comparisons.alarms
    strangers, alone = len(alarms), people == 1
    counts = {
        "fnmr_verify": (int((own < thresholds.verify_thresholds(others)).sum()), len(own)),
        "fnmr_identify": (int((own < thresholds.identify_thresholds(others)).sum()), len(own)),
        "fmr_verify": (verify_matches, pairs),
        "fmr_identify": (identify_matches, pairs),
        "fpir_photos": (int(alarms.sum()), 0 if alone else strangers),
        "fpir_people": (len(np.unique(gallery.owners[alarms])), 0 if alone else people),
    }
    return tuple(
        AuditRate(
            name,
            MEANINGS[name],
            thresholds.verify if name.endswith("verify") else thresholds.identify,
            clopper_pearson(errors, trials) if trials else None,
        )
        for name, (errors, trials) in counts.items()
    )


def similarity_histogram(comparisons: Comparisons) -> SimilarityHistogram:
    """Return how similarities are spread, of one person's photos and of different people."""
    own = comparisons.own[~np.isnan(comparisons.own)]
    return SimilarityHistogram(
        tuple(similarity_bins(own).tolist()), tuple(comparisons.impostor_bins.tolist())
    )
