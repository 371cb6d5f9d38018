"""Who is refused and who is confused, group by group, at thresholds fitted on other people.

The way of NIST IR 8280 (Grother et al. 2019): one threshold for everybody, false matches and false
non-matches within each group of one origin and gender, and how much the worst differs from all.
"""

from __future__ import annotations

import numpy as np

from training.calibration.calibrate import CalibrationFaces
from training.data.populations import Pool, nearest_pools
from training.foundation.arrays import IntArray, Matrix
from training.foundation.records import Record
from training.metrics.estimates import Estimate
from training.metrics.intervals import bootstrap_rate, vertex_bootstrap
from training.metrics.pairs import pairs_at_or_above, pairs_within, same_and_different

EVERYBODY = "everybody"


class GroupErrors(Record):
    """The errors of 1:1 within one group, single photos, at one threshold for all.

    ``fmr`` of pairs of different people; ``over_all`` that rate over everybody's. ``fnmr`` of pairs
    of one person among people of no known group who resemble this group most.
    """

    group: str
    people: int
    fmr: Estimate
    over_all: float
    genuine_people: int
    fnmr: Estimate | None


def errors_by_group(faces: CalibrationFaces, threshold: float) -> list[GroupErrors]:
    """Return everybody's errors and each pool's at ``threshold``.

    Pairs of strangers who are one person twice are no false matches and count as no match.
    """
    twice = faces.duplicates if faces.duplicates is not None else np.zeros((0, 2), np.int64)
    everyone = Pool(EVERYBODY, np.arange(len(faces.strangers)))
    overall = _false_matches(faces.strangers, everyone, threshold, twice)
    genuine, owners, _ = same_and_different(faces.val, faces.people)
    refused = genuine < threshold
    nearest = nearest_pools(faces.val, faces.people, faces.strangers, faces.pools)
    alike = np.array([nearest[int(owner)].name if nearest else "" for owner in owners])
    found = []
    for pool in (everyone, *faces.pools):
        fmr = _false_matches(faces.strangers, pool, threshold, twice)
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


def _false_matches(strangers: Matrix, pool: Pool, threshold: float, twice: IntArray) -> Estimate:
    """Return the rate of pairs of a pool that match, but for those of one person ``twice``."""
    matches = pairs_at_or_above(strangers[pool.rows], threshold)
    known = {(int(a), int(b)) for a, b in pairs_within(twice, pool.rows)}
    false = [pair for pair in matches.tolist() if tuple(pair) not in known]
    return vertex_bootstrap(np.array(false, np.int64).reshape(-1, 2), len(pool.rows))
