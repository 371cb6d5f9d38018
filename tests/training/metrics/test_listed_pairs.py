"""Pairs that a data set lists, of a table that holds all of their images or not."""

from __future__ import annotations

import numpy as np
import pytest

from tests.training.metrics.made_tables import made_table
from training.data.listed_pairs import ListedPairs
from training.metrics.listed_pairs import evaluate_listed_pairs
from training.metrics.verification import verify_pairs

TABLE = made_table([4] * 10, noise=0.5)


def listed(count: int = 60) -> ListedPairs:
    random = np.random.default_rng(0)
    pairs = []
    for number in range(count):
        one = int(random.integers(len(TABLE)))
        alike = TABLE.labels == TABLE.labels[one]
        alike[one] = number % 2 == 1  # never with itself
        other = int(random.choice(np.nonzero(alike if number % 2 == 0 else ~alike)[0]))
        pairs.append((TABLE.keys[one], TABLE.keys[other], number % 2 == 0))
    return ListedPairs("made", tuple(pairs), np.arange(count) // 10)


def test_listed_pairs_are_judged_as_their_similarities_are() -> None:
    pairs = listed()
    row = {key: number for number, key in enumerate(TABLE.keys)}
    similarities = np.array(
        [float(TABLE.embeddings[row[a]] @ TABLE.embeddings[row[b]]) for a, b, _ in pairs.pairs]
    )
    same = np.array([pair[2] for pair in pairs.pairs])
    found = evaluate_listed_pairs(pairs, TABLE)
    people = np.array([[TABLE.labels[row[a]], TABLE.labels[row[b]]] for a, b, _ in pairs.pairs])
    expected = verify_pairs(similarities, same, pairs.folds, people)
    assert found.figures is not None
    assert found.figures.accuracy.value == pytest.approx(expected.accuracy.value)
    assert (found.figures.same_pairs, found.figures.different_pairs) == (30, 30)
    assert (found.listed, found.left_out) == (60, 0)


def test_pairs_without_an_image_are_left_out_and_counted() -> None:
    pairs = listed()
    changed = (("gone", *pairs.pairs[0][1:]), *pairs.pairs[1:])
    found = evaluate_listed_pairs(ListedPairs("made", changed, pairs.folds), TABLE)
    assert found.left_out == 1
    assert found.figures is not None
    assert found.figures.same_pairs == 29


def test_nothing_is_judged_where_one_fold_or_nothing_is_left() -> None:
    assert evaluate_listed_pairs(listed(10), TABLE).figures is None
    elsewhere = evaluate_listed_pairs(listed().below("other/"), TABLE)
    assert (elsewhere.figures, elsewhere.left_out) == (None, 60)
