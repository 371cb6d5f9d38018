"""Doors of galleries with odd enrollments, where the answer is known."""

from __future__ import annotations

import numpy as np

from app.domain.calibration import Calibration, PlattCalibration
from tests.training.studies.odd_pictures.made_shown import (
    POLICY,
    TARGETS,
    all_alike,
    everybody,
    shown,
)
from training.data.odd_pictures.kinds import Kind
from training.studies.odd_pictures.bars import faults_at, faults_of
from training.studies.odd_pictures.doors import odd_count, try_door, try_mixed_door
from training.studies.odd_pictures.measure import measure_kind

CALIBRATION = Calibration((PlattCalibration(1, 30.0, -12.0),))
STAFF, VISITORS = everybody(20), everybody(10, first=20)
ROUNDS = 8


def test_one_odd_enrollment_matches_all_who_show_such_a_picture() -> None:
    door = try_door(shown(all_alike(12)), STAFF, VISITORS, POLICY, 20, ROUNDS)
    assert (door.people, door.odd_enrolled, door.threshold) == (20, 1, 0.5)
    assert (door.plain.value, door.odd.value) == (0, 1)
    assert door.odd.trials == ROUNDS * 11  # who is enrolled is no stranger


def test_refused_strangers_count_as_attempts() -> None:
    some = shown(all_alike(12), refused=range(6))
    door = try_door(some, STAFF, VISITORS, POLICY, 20, ROUNDS)
    assert door.odd.value == 5 / 11


def test_where_enrollment_takes_none_nobody_is_enrolled_by_one() -> None:
    none = shown(all_alike(12), not_enrolled=range(12))
    door = try_door(none, STAFF, VISITORS, POLICY, 20, ROUNDS)
    assert door.odd_enrolled == 0
    assert door.odd.value == 0
    assert door.odd.trials == ROUNDS * 12


def test_a_hundredth_is_odd_and_one_at_least() -> None:
    assert [odd_count(people) for people in (10, 100, 300, 1000)] == [1, 1, 3, 10]


def test_odd_pictures_of_all_kinds_at_one_door() -> None:
    readable = everybody(12, first=40)
    kinds = [shown(all_alike(12)), shown(readable, not_enrolled=range(12))]
    employees = everybody(8, first=52), everybody(8, first=52)
    door = try_mixed_door(kinds, STAFF, VISITORS, employees, POLICY, CALIBRATION, 20, ROUNDS)
    assert door.odd_enrolled == 1
    assert door.known.value == 1
    assert door.plain.value == 0
    assert door.odd.value == 0.5  # those of the first kind, of the same number in the second not
    refused = np.zeros_like(employees[1])
    unknown = try_mixed_door(
        kinds, STAFF, VISITORS, (employees[0], refused), POLICY, CALIBRATION, 20, ROUNDS
    )
    assert unknown.known.value == 0
    assert len(faults_at(door, TARGETS)) == 1
    assert faults_at(door, TARGETS)[0].startswith("odd strangers: 0.5")


def test_bars_are_broken_by_what_is_surely_more_than_stated() -> None:
    plain = shown(everybody(12, first=20))
    groups = {"one": range(12)}
    keys = measure_kind("made", shown(all_alike(12)), plain, groups, 0.5)
    door = try_door(shown(all_alike(12)), STAFF, VISITORS, POLICY, 20, ROUNDS)
    keys = keys.model_copy(update={"doors": (door,)})
    faults = faults_of(Kind("made"), keys, TARGETS)
    assert [fault.partition(":")[0] for fault in faults] == [
        "both odd, one",
        "odd strangers at 20 people, 1 of them odd",
    ]
    turned = faults_of(Kind("made", turned=True, as_upright=True), keys, TARGETS)
    assert [fault.partition(":")[0] for fault in turned[2:]] == [
        "taken as its person",
        "its own person",
    ]


def test_a_tilt_that_is_refused_is_not_taken_as_upright() -> None:
    plain = shown(everybody(12))
    refused = shown(everybody(12), refused=range(12))
    found = measure_kind("made", refused, plain, {"one": range(12)}, 0.5)
    assert not faults_of(Kind("made", turned=True), found, TARGETS)
    assert len(faults_of(Kind("made", as_upright=True), found, TARGETS)) == 1
    same = measure_kind("made", plain, plain, {"one": range(12)}, 0.5)
    assert not faults_of(Kind("made", as_upright=True, turned=True), same, TARGETS)
