"""Photos that do not look like the person under whose id they are enrolled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.domain.audit.comparisons import Comparisons
from app.domain.audit.gallery import AuditGallery, FloatArray
from app.domain.audit.result import OutlierPhoto, PhotoFinding
from app.domain.calibration import Calibration

#: Log-likelihood ratio, 99 to 1, from which a photo is its person's even if others are close: of
#: two ids of one person, each photo is about as close to one as to the other.
CERTAINLY_OWN = float(np.log(99.0))


@dataclass(frozen=True)
class OutlierMarks:
    """Which of P photos are outliers, ``(P,)`` each, and how likely each is its person's.

    ``own_ratio``: log-likelihood ratio against the person's other photos, NaN where there is none.
    """

    nearer_to_another: npt.NDArray[np.bool_]
    far_from_own: npt.NDArray[np.bool_]
    own_ratio: FloatArray

    @property
    def any(self) -> npt.NDArray[np.bool_]:
        """Which photos are outliers for one reason or the other."""
        return self.nearer_to_another | self.far_from_own


def mark_outliers(
    gallery: AuditGallery, comparisons: Comparisons, calibration: Calibration
) -> OutlierMarks:
    """Judge each photo that has others of its person beside it.

    A photo is *nearer to another* where somebody else is likelier than its own person, likelier
    than a stranger, and its own person not beyond doubt; it is *far from its own* where it looks
    more like a stranger to the person's other photos than like them. Likelihood ratios, not
    similarities, because centroids of more photos lie nearer to everybody.
    """
    counts = gallery.photo_counts[gallery.owners]
    own_ratio = calibration.log_likelihood_ratios(comparisons.own, np.maximum(counts - 1, 1))
    known = ~np.isnan(comparisons.own)
    other = comparisons.likeliest_ratio
    nearer = known & (other > own_ratio) & (other > 0) & (own_ratio < CERTAINLY_OWN)
    far = known & (own_ratio < 0) & ~nearer
    return OutlierMarks(nearer, far, own_ratio)


def list_outliers(
    gallery: AuditGallery,
    comparisons: Comparisons,
    marks: OutlierMarks,
    other_similarity: FloatArray,
) -> tuple[OutlierPhoto, ...]:
    """Return the outliers, those with most evidence against their own person first.

    ``other_similarity`` ``(P,)`` is that to the likeliest other person, where there is one.
    """
    counts = gallery.photo_counts
    chosen = np.flatnonzero(marks.any)
    evidence = np.maximum(comparisons.likeliest_ratio, 0.0) - marks.own_ratio
    chosen = chosen[np.argsort(-evidence[chosen], kind="stable")]
    alone = len(gallery.employee_ids) == 1
    listed = []
    for photo in chosen.tolist():
        nearer = bool(marks.nearer_to_another[photo])
        owner = int(gallery.owners[photo])
        other = gallery.employee_ids[int(comparisons.likeliest[photo])]
        listed.append(
            OutlierPhoto(
                employee_id=gallery.employee_ids[owner],
                photo_id=gallery.photo_ids[photo],
                finding=PhotoFinding.NEARER_TO_ANOTHER if nearer else PhotoFinding.FAR_FROM_OWN,
                own_similarity=float(comparisons.own[photo]),
                other_similarity=None if alone else float(other_similarity[photo]),
                other_employee_id=other if nearer else None,
                only_two_photos=int(counts[owner]) == 2,
            )
        )
    return tuple(listed)
