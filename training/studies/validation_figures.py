"""What one way to make an embedder comes to on validation people and strangers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from training.calibration.scores import centroid_scores, photo_scores
from training.data.crops import CropSet
from training.data.populations import Pool
from training.evaluation.evaluate import OPEN_SET_RATES
from training.foundation.arrays import Matrix
from training.foundation.errors import DataError
from training.foundation.records import Record
from training.foundation.sheets import Sheet
from training.metrics.open_set import enroll_people, identify_open_set
from training.metrics.pairs import pair_similarities, same_and_different
from training.metrics.verification import threshold_at_far

PHOTOS = (1, 3)
TAIL_RATE = 1e-4
#: What every line of a trial tells.
FIGURES = (
    "val TAR @ 1e-3",
    "@ 1e-4",
    "TAR where the worst group has 1e-3",
    "worst over overall 1e-4",
    "FNIR @ FPIR 1 %, 1 photo",
    "3 photos",
    "refused, 1 photo",
    "3 photos",
)


class TriedSettings(Record):
    """A line for every setting that was tried: its name or numbers, and the ``FIGURES`` of it.

    Refused: genuine comparisons with one and with three photos below what the worst group reaches
    at FMR 1e-4, raised by what strangers gain on centroids of so many, as the policy does.
    """

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def settings_tables(record: TriedSettings) -> list[Sheet]:
    """Return what was tried as a table."""
    return [Sheet(record.title, record.head, record.rows)]


@dataclass(frozen=True)
class TrialPeople:
    """Validation people and strangers, and what the embedder says of both without a correction."""

    val: CropSet
    plain_val: Matrix
    plain_strangers: Matrix
    pools: Sequence[Pool]


def trial_figures(people: TrialPeople, val: Matrix, strangers: Matrix) -> tuple[str, ...]:
    """Return the ``FIGURES`` of unit embeddings of the validation people and the strangers.

    Raises ``DataError`` where there are no pools.
    """
    if not people.pools:
        raise DataError("no group of strangers is large enough to be the worst one")
    identities = people.val.identities.numpy()
    same, _, different = same_and_different(val, identities)
    overall = threshold_at_far(pair_similarities(strangers), TAIL_RATE)
    groups = [pair_similarities(strangers[pool.rows]) for pool in people.pools]
    worst = max(threshold_at_far(group, 10 * TAIL_RATE) for group in groups)
    ratio = max(float((group >= overall).mean()) for group in groups) / TAIL_RATE
    missed = [
        identify_open_set(
            val, enroll_people(identities, people.val.files, photos), strangers, OPEN_SET_RATES
        )
        .points[-1]
        .fnir.value
        for photos in PHOTOS
    ]
    single = photo_scores(val, identities, strangers)
    several = centroid_scores(val, identities, people.val.files, strangers, PHOTOS[-1])
    scores = [single] if several is None else [single, several]
    worst_threshold = max(threshold_at_far(group, TAIL_RATE) for group in groups)
    tars = (threshold_at_far(different, 1e-3), threshold_at_far(different, 1e-4), worst)
    return (
        *(f"{float((same >= threshold).mean()):.3f}" for threshold in tars),
        f"{ratio:.1f} x",
        *(f"{value:.3f}" for value in missed),
        *(
            f"{float(np.mean(each.same < worst_threshold + max(0.0, each.shift))):.3f}"
            for each in scores
        ),
    )
