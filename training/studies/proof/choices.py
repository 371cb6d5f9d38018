"""What each scope of a stated risk costs employees, and who it lets in.

People and strangers kept aside from the policy: so many of the people are enrolled and come back
with another photo, and strangers of all groups stand before the same galleries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.domain.decision import reached_somebody
from app.domain.policy import PromiseFor, RiskPolicy
from training.calibration.calibrate import CalibrationFaces
from training.foundation.arrays import IntArray, Matrix
from training.foundation.records import Record
from training.metrics.estimates import Estimate
from training.metrics.intervals import bootstrap_rate, clopper_pearson
from training.studies.proof.promises import SEED
from training.studies.proof.verdicts import enrolled

MAX_STRANGERS = 3_000


class ChoiceOutcome(Record):
    """One stated risk at galleries of ``people``, promised to ``promise_for``.

    ``met``: strangers of all groups taken for somebody; ``worst_met`` those of ``worst_group``, the
    group and gender of most of them. ``refused``: employees who do not reach the threshold of
    their own number of photos. Strangers recur from gallery to gallery, so that true intervals of
    the first two are wider; that of ``refused`` resamples people.
    """

    promise_for: PromiseFor
    people: int
    photos: int
    stated: float
    met: Estimate
    worst_group: str
    worst_met: Estimate
    refused: Estimate


def compare_choices(
    faces: CalibrationFaces,
    policy: RiskPolicy,
    stated: float,
    sizes: Sequence[int],
    photos: int,
    rounds: int,
) -> list[ChoiceOutcome]:
    """Draw ``rounds`` galleries of each size and hold every choice to the same.

    A person with more than ``photos`` pictures gives so many and one probe. Sizes for which there
    are too few such people are left out.
    """
    able = [rows for rows in _rows(faces.people) if len(rows) > photos]
    found = []
    for size in (size for size in sizes if size <= len(able)):
        thresholds = [
            policy.promise(
                stated, size, photos=photos, promise_for=promise_for
            ).threshold.similarity
            for promise_for in PromiseFor
        ]
        visits = _stand_before(faces, able, size, photos, rounds)
        found += [
            _outcome(faces, visits, (size, photos), stated, promise_for, needed)
            for promise_for, needed in zip(PromiseFor, thresholds, strict=True)
        ]
    return found


@dataclass(frozen=True)
class _Visits:
    """Who stood before the galleries: employees ``(E,)`` and strangers ``(S,)``.

    ``own``: an employee's similarity to their own centroid, ``owners`` who it is; ``nearest``: a
    stranger's highest to anybody's, ``strangers`` the row.
    """

    own: Matrix
    owners: IntArray
    nearest: Matrix
    strangers: IntArray


def _stand_before(
    faces: CalibrationFaces, able: Sequence[IntArray], size: int, photos: int, rounds: int
) -> _Visits:
    random = np.random.default_rng([SEED, size, photos])
    own, owners, nearest, shown = [], [], [], []
    for _ in range(rounds):
        chosen = random.permutation(len(able))[:size]
        drawn = [random.permutation(able[number])[: photos + 1] for number in chosen]
        gallery = enrolled([faces.val[rows[1:]] for rows in drawn]).centroids
        probes = faces.val[[int(rows[0]) for rows in drawn]]
        strangers = random.permutation(len(faces.strangers))[:MAX_STRANGERS]
        own.append((probes * gallery).sum(axis=1))
        owners.append(chosen.astype(np.int64))
        nearest.append((faces.strangers[strangers] @ gallery.T).max(axis=1))
        shown.append(strangers.astype(np.int64))
    return _Visits(*map(np.concatenate, (own, owners, nearest, shown)))


def _outcome(
    faces: CalibrationFaces,
    visits: _Visits,
    gallery: tuple[int, int],
    stated: float,
    promise_for: PromiseFor,
    needed: float,
) -> ChoiceOutcome:
    """Return what a threshold does to the visits of a ``gallery``: so many people and photos."""
    alarms = reached_somebody(visits.nearest[:, None], np.array([needed]))
    groups = {pool.name: alarms[np.isin(visits.strangers, pool.rows)] for pool in faces.pools}
    by_group = {name: found for name, found in groups.items() if len(found)}
    by_group = by_group or {"all strangers": alarms}
    worst = max(by_group, key=lambda name: float(by_group[name].mean()))
    return ChoiceOutcome(
        promise_for=promise_for,
        people=gallery[0],
        photos=gallery[1],
        stated=stated,
        met=clopper_pearson(int(alarms.sum()), len(alarms)),
        worst_group=worst,
        worst_met=clopper_pearson(int(by_group[worst].sum()), len(by_group[worst])),
        refused=bootstrap_rate(visits.own < needed, visits.owners),
    )


def _rows(people: IntArray) -> list[IntArray]:
    return [np.flatnonzero(people == person) for person in np.unique(people)]
