from __future__ import annotations

import numpy as np

from tests.training.evaluation.made_people import made_people, strangers
from training.metrics.pairs import (
    BLOCK,
    cross_similarities,
    pair_positions,
    pair_similarities,
    pairs_at_or_above,
    same_and_different,
)

COUNT = BLOCK + 76  # more than one block


def test_pairs_come_once_each_in_the_order_of_their_positions() -> None:
    faces = strangers(COUNT)
    first, second = np.triu_indices(COUNT, 1)
    np.testing.assert_allclose(
        pair_similarities(faces), (faces @ faces.T)[first, second], atol=1e-6
    )
    every = np.stack([first, second], axis=1)
    np.testing.assert_array_equal(pair_positions(every, COUNT), np.arange(len(every)))


def test_pairs_above_a_threshold_are_found_across_blocks() -> None:
    faces = strangers(COUNT)
    similar = np.triu(faces @ faces.T >= 0.3, 1)
    found = {(int(a), int(b)) for a, b in pairs_at_or_above(faces, 0.3)}
    assert len(found) > COUNT
    # A pair on the very threshold may fall to either side of another order of summation.
    assert len(found ^ {(int(a), int(b)) for a, b in zip(*np.nonzero(similar), strict=True)}) <= 2


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
