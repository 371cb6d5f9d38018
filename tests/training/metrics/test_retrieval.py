"""Retrieval figures against the definitions, one query at a time."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator

from tests.training.metrics.made_tables import made_table
from training.foundation.errors import DataError
from training.metrics.embedding_table import EmbeddingTable
from training.metrics.retrieval import (
    QueryScores,
    measure_retrieval,
    most_similar,
    score_against_gallery,
    score_leave_one_out,
)


def slow_query(similarities: list[float], right: list[bool]) -> tuple[list[bool], float, float]:
    """R@1/5/10, AP@10 and MAP@R of one query, by the words of their definitions."""
    order = sorted(range(len(right)), key=lambda place: (-similarities[place], place))
    answers = [right[place] for place in order]
    total = sum(answers)

    def precision_at(rank: int) -> float:
        return sum(answers[:rank]) / rank

    def average(depth: int) -> float:
        ranks = range(1, min(depth, len(answers)) + 1)
        found = sum(precision_at(rank) for rank in ranks if answers[rank - 1])
        return found / min(total, depth)

    return [any(answers[:k]) for k in (1, 5, 10)], average(10), average(total)


def assert_equal_to_slow(
    scores: QueryScores, expected: dict[int, tuple[list[bool], float, float]]
) -> None:
    assert scores.rows.tolist() == sorted(expected)
    for place, row in enumerate(scores.rows.tolist()):
        hits, at_10, at_r = expected[row]
        assert scores.hits[place].tolist() == hits
        assert scores.map_at_10[place] == pytest.approx(at_10)
        assert scores.map_at_r[place] == pytest.approx(at_r)


def coarse(table: EmbeddingTable) -> EmbeddingTable:
    """Return the table with every embedding on an axis, so that most similarities are equal."""
    axes = np.abs(table.embeddings).argmax(axis=1) % 3
    rows = np.eye(table.embeddings.shape[1], dtype=np.float32)[axes]
    return EmbeddingTable(rows, table.labels, table.keys, table.label_names)


@given(st.integers(0, 30), st.booleans())
@settings(deadline=None, max_examples=20)
def test_leave_one_out_equals_the_slow_definitions(seed: int, ties: bool) -> None:
    table = made_table([1, 2, 3, 14, 25, 1], noise=1.0, seed=seed, unknown=3)
    table = coarse(table) if ties else table
    expected = {}
    for row in range(len(table)):
        others = [other for other in range(len(table)) if other != row]
        label = table.labels[row]
        right = [bool(table.labels[o] == label and label >= 0) for o in others]
        if any(right):
            similarities = [float(table.embeddings[row] @ table.embeddings[o]) for o in others]
            if not ties:
                similarities = (table.embeddings[others] @ table.embeddings[row]).tolist()
            expected[row] = slow_query(similarities, right)
    assert_equal_to_slow(score_leave_one_out(table), expected)


@given(st.integers(0, 30))
@settings(deadline=None, max_examples=15)
def test_a_gallery_is_searched_by_the_names_of_its_identities(seed: int) -> None:
    whole = made_table([4, 6, 20, 9], noise=1.0, seed=seed)
    half = len(whole) // 2
    queries = EmbeddingTable(
        whole.embeddings[:half], whole.labels[:half], whole.keys[:half], whole.label_names
    )
    names = ("nobody here", *reversed(whole.label_names[1:]))  # the first identity is not in it
    number = np.array([-1] + [names.index(name) for name in whole.label_names[1:]])
    gallery = EmbeddingTable(
        whole.embeddings[half:], number[whole.labels[half:]], whole.keys[half:], names
    )
    expected = {}
    for row in range(half):
        own = whole.label_names[whole.labels[row]]
        right = [label >= 0 and names[label] == own for label in gallery.labels]
        if any(right):
            found = (gallery.embeddings @ queries.embeddings[row]).tolist()
            expected[row] = slow_query(found, right)
    assert_equal_to_slow(score_against_gallery(queries, gallery), expected)


def their_figures(queries: EmbeddingTable, gallery: EmbeddingTable | None) -> tuple[float, ...]:
    """R@1, mAP@10 and MAP@R as pytorch-metric-learning computes them, by FAISS and torch.

    Its mAP@10 divides by all that is to be found, ours by ten at most: they are one where nobody
    has more.
    """
    include = ("precision_at_1", "mean_average_precision", "mean_average_precision_at_r")
    figures: dict[str, float] = {}
    for name, k in zip(include, (1, 10, "max_bin_count"), strict=True):
        calculator = AccuracyCalculator(include=(name,), k=k, device=torch.device("cpu"))
        given = [torch.from_numpy(queries.embeddings), torch.from_numpy(queries.labels)]
        if gallery is not None:
            given += [torch.from_numpy(gallery.embeddings), torch.from_numpy(gallery.labels)]
        figures |= calculator.get_accuracy(*given)
    return tuple(figures[name] for name in include)


@pytest.mark.parametrize("seed", range(4))
def test_figures_are_those_of_pytorch_metric_learning(seed: int) -> None:
    whole = made_table([1, 2, 3, 8, 11, 1, 5], noise=1.4, seed=seed)
    half = len(whole) // 2
    parts = [
        EmbeddingTable(
            whole.embeddings[rows], whole.labels[rows], whole.keys[rows], whole.label_names
        )
        for rows in (slice(half), slice(half, None))
    ]
    for scores, theirs in (
        (score_leave_one_out(whole), their_figures(whole, None)),
        (score_against_gallery(*parts), their_figures(*parts)),
    ):
        ours = (scores.hits[:, 0].mean(), scores.map_at_10.mean(), scores.map_at_r.mean())
        assert ours == pytest.approx(theirs, abs=1e-9)
    assert score_leave_one_out(whole).map_at_r.mean() < 0.95  # some answers are wrong


def test_the_nearest_come_first_and_equal_ones_by_column() -> None:
    similarities = np.array([[0.1, 0.9, 0.5, 0.5, 0.5]], np.float32)
    assert most_similar(similarities, 2).tolist() == [[1, 2]]
    assert most_similar(similarities, 9).tolist() == [[1, 2, 3, 4, 0]]


def test_images_that_lie_on_their_identity_are_all_found() -> None:
    result = measure_retrieval(score_leave_one_out(made_table([3, 1, 12, 5], noise=1e-3)))
    assert (result.queries, result.identities, result.gallery) == (20, 3, 21)
    assert [point.k for point in result.recall_at] == [1, 5, 10]
    assert {point.recall.value for point in result.recall_at} == {1.0}
    assert result.map_at_r.value == result.map_at_10.value == 1.0


def test_figures_lie_within_their_intervals_which_resample_identities() -> None:
    result = measure_retrieval(score_leave_one_out(made_table([4] * 20, noise=1.4)))
    for estimate in (result.map_at_10, result.map_at_r, result.recall_at[0].recall):
        assert estimate.low < estimate.value < estimate.high
    assert result.map_at_r.value < result.recall_at[0].recall.value


def test_nothing_to_be_found_is_an_error() -> None:
    with pytest.raises(DataError, match="no image has another"):
        score_leave_one_out(made_table([1, 1, 1], unknown=2))
