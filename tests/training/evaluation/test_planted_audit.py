from __future__ import annotations

import numpy as np

from tests.domain.audit.planted import CALIBRATION, THRESHOLDS, made_people
from training.evaluation.planted_audit import judge_planted, plant, wanted_rows


def test_what_is_planted_is_found_and_counted() -> None:
    people = list(made_people(60, 6).values())
    embeddings = np.concatenate([np.stack(photos) for photos in people])
    identities = np.repeat(np.arange(60), 6)
    gallery, places = plant(embeddings, identities, twice=8, swapped=10)
    assert len(gallery) == 68
    assert len(places) == 10
    figures = judge_planted(gallery, places, THRESHOLDS, CALIBRATION)
    assert (figures.people, figures.photos, figures.clean_photos) == (60, 204, 194)
    assert figures.duplicates == figures.duplicates_found == figures.duplicates_named == 8
    assert figures.swapped == figures.swapped_found == figures.swapped_placed == 10
    assert figures.clean_pairs_accused == figures.clean_photos_accused == 0


def test_people_of_few_photos_are_left_out() -> None:
    people = list(made_people(4, 3).values())
    embeddings = np.concatenate([np.stack(photos) for photos in people])
    identities = np.asarray([0] * 3 + [1] * 3 + [2] * 3 + [3] * 2 + [-1])
    gallery, places = plant(embeddings, identities, twice=5, swapped=2)
    assert sorted(gallery) == ["0", "1", "2"]
    assert places == {"0/0": "1", "1/0": "0"}


def test_only_rows_that_may_be_enrolled_are_embedded() -> None:
    identities = np.asarray([2, 0, 0, 0, -1, 1, 1, 2, 2, -1, -1] + [3] * 8)
    assert wanted_rows(identities).tolist() == [0, 1, 2, 3, 7, 8, *range(11, 17)]
