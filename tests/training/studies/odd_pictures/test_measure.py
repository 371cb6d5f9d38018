"""Matches of odd pictures, counted where the answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from tests.training.studies.odd_pictures.made_shown import all_alike, everybody, shown
from training.studies.odd_pictures.measure import matching_pairs, measure_kind, rate_of_pairs

GROUPS = {"one": range(6), "two": range(6, 10)}


def test_pictures_in_one_cluster_all_match() -> None:
    found = measure_kind("made", shown(all_alike(10)), shown(everybody(10)), GROUPS, 0.5)
    assert found.both_odd["one"].value == 1
    assert (found.both_odd["one"].trials, found.both_odd["two"].trials) == (15, 6)
    assert (found.passing_matches, found.passing_pairs) == (45, 45)
    assert found.one_odd.value == 0
    assert found.itself is not None
    assert found.itself.value == 0
    assert found.refused_at_the_door == found.refused_at_enrollment == {}


def test_what_is_refused_matches_nobody_and_still_counts_as_shown() -> None:
    odd = shown(all_alike(10), refused=range(1, 6), not_enrolled=[6, 7])
    found = measure_kind("made", odd, shown(everybody(10)), GROUPS, 0.5)
    assert found.both_odd["one"].value == 0
    assert found.both_odd["one"].trials == 15
    assert found.both_odd["two"].value == pytest.approx(5 / 6)  # 6 and 7 can only come to the door
    assert found.refused_at_the_door == {"no_face": 5}
    assert found.refused_at_enrollment == {"no_face": 5, "face_blurred": 2}
    # 0, 8 and 9 are enrolled: 3 pairs among them, and each with 6 and 7
    assert (found.passing_matches, found.passing_pairs) == (9, 9)
    assert found.itself is not None
    assert found.itself_shown is not None
    assert (found.itself.trials, found.itself_shown.trials) == (5, 10)


def test_one_enrolled_side_is_enough_for_a_match() -> None:
    only_door = shown(all_alike(2), not_enrolled=[0])
    assert matching_pairs(only_door, 0.5)[0, 1]
    neither = shown(all_alike(2), not_enrolled=[0, 1])
    assert not matching_pairs(neither, 0.5).any()


def test_an_odd_picture_may_be_its_person_and_somebody_elses() -> None:
    plain = everybody(10)
    odd = plain.copy()
    odd[0] = (plain[0] + plain[1]) / np.sqrt(2)
    found = measure_kind("made", shown(odd), shown(plain), {"all": range(10)}, 0.6)
    assert found.itself is not None
    assert found.itself.value == 1
    assert found.one_odd.trials == 90
    assert found.one_odd.value == pytest.approx(1 / 90)
    assert found.both_odd["all"].value == pytest.approx(1 / 45)


def test_things_belong_to_nobody_and_are_compared_with_everybody() -> None:
    things = everybody(4)
    found = measure_kind(
        "made", shown(things), shown(everybody(10)), {"things": range(4)}, 0.5, persons=False
    )
    assert found.itself is None
    assert found.itself_shown is None
    assert found.one_odd.trials == 40
    assert found.one_odd.value == pytest.approx(4 / 40)


def test_the_interval_knows_that_one_person_takes_many_pairs_along() -> None:
    hub = np.zeros((40, 40), bool)
    hub[0, 1:] = hub[1:, 0] = True
    apart = np.zeros((40, 40), bool)
    for n in range(39):
        apart[n, n + 1] = apart[n + 1, n] = True
    wide, narrow = rate_of_pairs(hub), rate_of_pairs(apart)
    assert wide.value == narrow.value == pytest.approx(39 / 780)
    assert wide.low == 0
    assert narrow.low > 0.02
    none = rate_of_pairs(np.zeros((40, 40), bool))
    assert none.low == none.value == 0 < none.high < 0.01
