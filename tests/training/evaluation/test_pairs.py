from __future__ import annotations

import numpy as np
import pytest

from tests.training.evaluation.made_people import made_people, strangers
from training.evaluation import pairs
from training.evaluation.pairs import (
    cross_similarities,
    pair_positions,
    pair_similarities,
    pairs_at_or_above,
    same_and_different,
)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, "BLOCK", 7)


def test_pairs_come_once_each_in_the_order_of_their_positions() -> None:
    faces = strangers(23)
    similarities = pair_similarities(faces)
    expected = [faces[i] @ faces[j] for i in range(23) for j in range(i + 1, 23)]
    np.testing.assert_allclose(similarities, expected, atol=1e-6)
    every = np.array([(i, j) for i in range(23) for j in range(i + 1, 23)])
    np.testing.assert_array_equal(pair_positions(every, 23), np.arange(23 * 22 // 2))


def test_pairs_above_a_threshold_are_found_across_blocks() -> None:
    faces = strangers(23)
    found = {(int(a), int(b)) for a, b in pairs_at_or_above(faces, 0.3)}
    assert found == {
        (i, j) for i in range(23) for j in range(i + 1, 23) if faces[i] @ faces[j] >= 0.3
    }


def test_same_and_different_split_every_pair() -> None:
    faces, people, _ = made_people([1, 4, 2, 9, 3])
    same, owners, different = same_and_different(faces, people)
    every = [(i, j) for i in range(19) for j in range(i + 1, 19)]
    assert len(same) + len(different) == len(every)
    expected = sorted(float(faces[i] @ faces[j]) for i, j in every if people[i] == people[j])
    np.testing.assert_allclose(sorted(same), expected, atol=1e-6)
    assert sorted(owners) == sorted(people[i] for i, j in every if people[i] == people[j])


def test_cross_similarities_leave_one_person_out() -> None:
    faces, people, _ = made_people([3, 2, 4])
    crossed = cross_similarities(faces, faces, people, people)
    expected = [faces[i] @ faces[j] for i in range(9) for j in range(9) if people[i] != people[j]]
    np.testing.assert_allclose(crossed, expected, atol=1e-6)
