from __future__ import annotations

import random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.agreement import find_outliers
from app.domain.calibration import Calibration, PlattCalibration
from app.domain.embeddings import Embedding, as_embedding

CALIBRATION = Calibration((PlattCalibration(1, 20.0, -8.0), PlattCalibration(3, 20.0, -9.0)))
DIM = 64


def shots(person: int, count: int, first: int = 0) -> list[Embedding]:
    """Return photos of a person: cosine about 0.8 to each other, about 0 to other people's."""
    centre = np.random.default_rng(person).normal(size=DIM)
    centre /= np.linalg.norm(centre)
    made = []
    for shot in range(first, first + count):
        beside = np.random.default_rng([person, shot]).normal(size=DIM)
        vector = centre + 0.5 * beside / np.sqrt(DIM)
        made.append(as_embedding(vector / np.linalg.norm(vector)))
    return made


people = st.integers(0, 10_000)


@settings(deadline=None)
@given(people, st.integers(1, 12), st.integers(0, 12))
def test_photos_of_one_person_agree(person: int, photos: int, enrolled: int) -> None:
    found = find_outliers(shots(person, photos), shots(person, enrolled, 50), CALIBRATION)
    assert found.outliers == ()
    assert not found.undecided


@settings(deadline=None)
@given(people, st.integers(2, 8), st.integers(1, 7), st.randoms(use_true_random=False))
def test_the_minority_is_named_wherever_it_stands(
    person: int, right: int, wrong: int, order: random.Random
) -> None:
    wrong = min(wrong, right - 1)
    photos = [(True, one) for one in shots(person, right)]
    photos += [(False, shots(person + 1 + n, 1)[0]) for n in range(wrong)]
    order.shuffle(photos)
    found = find_outliers([one for _, one in photos], [], CALIBRATION)
    assert found.outliers == tuple(n for n, (is_right, _) in enumerate(photos) if not is_right)
    assert not found.undecided


@settings(deadline=None)
@given(people, st.integers(1, 5))
def test_without_a_majority_all_are_named(person: int, each: int) -> None:
    photos = shots(person, each) + shots(person + 1, each)
    found = find_outliers(photos, [], CALIBRATION)
    assert found.outliers == tuple(range(2 * each))
    assert found.undecided


@settings(deadline=None)
@given(people, st.integers(1, 3), st.integers(1, 3), st.integers(1, 9))
def test_who_is_enrolled_decides_against_any_majority(
    person: int, enrolled: int, right: int, wrong: int
) -> None:
    photos = shots(person, right) + shots(person + 1, wrong)
    found = find_outliers(photos, shots(person, enrolled, 50), CALIBRATION)
    assert found.outliers == tuple(range(right, right + wrong))
    assert not found.undecided


@settings(deadline=None)
@given(people, st.permutations(range(6)))
def test_the_order_of_the_photos_does_not_matter(person: int, order: list[int]) -> None:
    photos = shots(person, 4) + shots(person + 1, 2)
    found = find_outliers([photos[n] for n in order], [], CALIBRATION)
    assert {order[place] for place in found.outliers} == {4, 5}


def test_a_photo_between_two_is_accepted_by_way_of_the_nearer_one() -> None:
    """40 degrees agree (cosine 0.77), 80 do not (0.17), and the middle of the first two is near."""
    turns = np.radians([0, 40, 80])
    photos = [as_embedding(np.array([np.cos(turn), np.sin(turn)])) for turn in turns]
    assert find_outliers(photos[2:], photos[:1], CALIBRATION).outliers == (0,)
    assert find_outliers(photos[1:], photos[:1], CALIBRATION).outliers == ()


def test_two_that_are_wholly_opposite_disagree() -> None:
    one = shots(1, 1)[0]
    assert find_outliers([one, as_embedding(-one)], [], CALIBRATION).undecided
    assert find_outliers([one], [one, as_embedding(-one)], CALIBRATION).outliers == (0,)
    assert find_outliers([], [], CALIBRATION).outliers == ()
