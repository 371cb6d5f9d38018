"""Who is refused and who is confused, group by group, at thresholds fitted on other people.

The way of NIST IR 8280 (Grother et al. 2019): one threshold for everybody, false matches and false
non-matches within each group of one origin and gender, and how much the worst differs from all.
"""

from __future__ import annotations

import numpy as np

from training.calibration.calibrate import CalibrationFaces
from training.evaluation.false_matches import match_pool
from training.evaluation.intervals import bootstrap_rate
from training.evaluation.pairs import same_and_different
from training.evaluation.populations import Pool, nearest_pools
from training.evaluation.results import Estimate, Record

EVERYBODY = "everybody"


class GroupErrors(Record):
    """The errors of 1:1 within one group, single photos, at one threshold for all.

    ``fmr`` of pairs of different people; ``over_all`` that rate over everybody's. ``fnmr`` of pairs
    of one person among people who resemble this group most, for whom no group is known.
    """

    group: str
    people: int
    fmr: Estimate
    over_all: float
    genuine_people: int
    fnmr: Estimate | None


def errors_by_group(faces: CalibrationFaces, threshold: float) -> list[GroupErrors]:
    """Return everybody's errors and each pool's at ``threshold``."""
    everyone = Pool(EVERYBODY, np.arange(len(faces.strangers)))
    overall = match_pool(faces.strangers, everyone, threshold, None).fmr_at_lfw_threshold
    genuine, owners, _ = same_and_different(faces.val, faces.people)
    refused = genuine < threshold
    nearest = nearest_pools(faces.val, faces.people, faces.strangers, faces.pools)
    alike = np.array([nearest[int(owner)].name if nearest else "" for owner in owners])
    found = []
    for pool in (everyone, *faces.pools):
        fmr = match_pool(faces.strangers, pool, threshold, None).fmr_at_lfw_threshold
        of = np.ones(len(owners), bool) if pool is everyone else alike == pool.name
        found.append(
            GroupErrors(
                group=pool.name,
                people=len(pool.rows),
                fmr=fmr,
                over_all=fmr.value / overall.value if overall.value else float(fmr.value > 0),
                genuine_people=len(np.unique(owners[of])),
                fnmr=bootstrap_rate(refused[of], owners[of]) if of.any() else None,
            )
        )
    return found
