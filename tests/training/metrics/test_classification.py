"""Decisions and curves against slow versions from their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.metrics.made_tables import made_table
from training.foundation.arrays import FloatArray
from training.foundation.errors import DataError
from training.metrics.classification import (
    Decisions,
    decision_figures,
    det_curve,
    measure_at_threshold,
    measure_decisions,
    roc_curve,
)
from training.metrics.open_set import OpenSetScores, identify_open_set, open_set_scores
from training.metrics.ranked_pairs import RankedPairs
from training.metrics.scored_pairs import draw_pairs
from training.metrics.table_parts import split_open_set
from training.metrics.verification import (
    area_under_curve,
    best_threshold,
    equal_error_rate,
    threshold_at_far,
)

kinds = st.lists(
    st.tuples(st.integers(-5, 5).map(lambda n: n / 5), st.booleans(), st.integers(0, 3)),
    min_size=1,
    max_size=30,
)


@given(kinds, st.integers(-5, 5).map(lambda n: n / 5))
@settings(deadline=None)
def test_decisions_equal_a_count_of_repeated_pairs(
    pairs: list[tuple[float, bool, int]], threshold: float
) -> None:
    repeated = [(s >= threshold, same) for s, same, weight in pairs for _ in range(weight)]
    right = sum(accepted == same for accepted, same in repeated)
    both = sum(accepted and same for accepted, same in repeated)
    accepted_all, same_all = sum(a for a, _ in repeated), sum(s for _, s in repeated)
    precision = both / accepted_all if accepted_all else 0.0
    recall = both / same_all if same_all else 0.0
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    expected = (right / len(repeated) if repeated else 0.0, precision, recall, f1)
    found = decision_figures(
        np.array([s >= threshold for s, _, _ in pairs]),
        np.array([same for _, same, _ in pairs]),
        np.array([weight for _, _, weight in pairs], np.float64),
    )
    assert found == pytest.approx(expected)


@given(kinds)
@settings(deadline=None)
def test_weighted_auc_and_eer_equal_those_of_repeated_pairs(
    pairs: list[tuple[float, bool, int]],
) -> None:
    similarities = np.array([s for s, _, _ in pairs])
    same = np.array([is_same for _, is_same, _ in pairs])
    weights = np.array([weight for _, _, weight in pairs], np.float64)
    repeated = np.repeat(similarities, weights.astype(int))
    kind = np.repeat(same, weights.astype(int))
    ranks = RankedPairs(similarities, same)
    if not kind.any() or kind.all():
        assert np.isnan(ranks.area_under_curve(weights))
        assert np.isnan(ranks.equal_error_rate(weights))
        return
    genuine, other = repeated[kind], repeated[~kind]
    assert ranks.area_under_curve(weights) == pytest.approx(area_under_curve(genuine, other))
    gaps = [abs((other >= t).mean() - (genuine < t).mean()) for t in np.unique(similarities)]
    errors = [((other >= t).mean() + (genuine < t).mean()) / 2 for t in np.unique(similarities)]
    smallest = [e for e, gap in zip(errors, gaps, strict=True) if gap <= min(gaps) + 1e-9]
    assert any(ranks.equal_error_rate(weights) == pytest.approx(e) for e in smallest)
    one_each = RankedPairs(repeated, kind).equal_error_rate(np.ones(len(kind)))
    assert one_each == pytest.approx(equal_error_rate(genuine, other))


def slow_accepted(scores: FloatArray, peaks: FloatArray, rate: float) -> float:
    """The share of scores above the first peak that must be refused."""
    allowed = int(rate * len(peaks) + 1e-9)
    if allowed == len(peaks):
        return float((scores >= peaks.min()).mean())
    return float((scores > sorted(peaks, reverse=True)[allowed]).mean())


def test_the_roc_equals_the_slow_curve_and_ends_where_all_impostors_pass() -> None:
    random = np.random.default_rng(4)
    same, different = random.normal(0.6, 0.2, 70), random.normal(0.1, 0.2, 130)
    curve = roc_curve(same, different)
    for far, tar in zip(curve.x, curve.y, strict=True):
        assert tar == pytest.approx(slow_accepted(same, different, far))
    assert list(curve.y) == sorted(curve.y)
    assert (curve.x[0], curve.x[-1]) == pytest.approx((1 / 130, 1.0))
    assert (curve.floor_x, curve.floor_y) == (1 / 130, 1 / 70)


def test_the_det_curve_equals_the_slow_protocol() -> None:
    table = made_table([1, 3, 4, 5, 4, 3, 4, 5, 4], noise=0.9)
    parts = split_open_set(table, 1, seed=3)
    seen = open_set_scores(
        table.embeddings,
        parts.enrollment,
        table.embeddings[parts.outsiders],
        strangers=table.labels[parts.outsiders],
    )
    curve = det_curve(seen)
    gallery = table.embeddings[parts.enrollment.enrolled[:, 0]]
    peaks = (table.embeddings[parts.outsiders] @ gallery.T).max(axis=1)
    for fpir, fnir in zip(curve.x, curve.y, strict=True):
        found = 0.0
        for row, owner in zip(parts.enrollment.probes, parts.enrollment.owners, strict=True):
            scores = gallery @ table.embeddings[row]
            alone = slow_accepted(scores[owner : owner + 1], peaks, fpir)
            found += float(scores.argmax() == owner) * alone
        assert fnir == pytest.approx(1 - found / len(parts.enrollment.probes))
    assert list(curve.y) == sorted(curve.y, reverse=True)


def made_scores(seed: int) -> OpenSetScores:
    table = made_table([4] * 20, noise=0.8, seed=seed)
    parts = split_open_set(table, 1, seed=0)
    return open_set_scores(
        table.embeddings,
        parts.enrollment,
        table.embeddings[parts.outsiders],
        strangers=table.labels[parts.outsiders],
    )


def test_the_threshold_of_other_people_is_judged_on_these() -> None:
    chosen_on, seen = made_scores(1), made_scores(2)
    result = measure_at_threshold(chosen_on, seen, 0.1)
    assert result.threshold == threshold_at_far(chosen_on.peaks, 0.1)
    assert result.fpir.value == pytest.approx((seen.peaks >= result.threshold).mean())
    assert result.fnir.value == pytest.approx(
        np.mean(
            [
                not top or own < result.threshold
                for own, top in zip(seen.own, seen.on_top, strict=True)
            ]
        )
    )


def test_judged_pairs_are_those_of_the_table_at_the_given_threshold() -> None:
    fitted_on = draw_pairs(made_table([5] * 20, noise=0.8, seed=1), seed=0)
    pairs = draw_pairs(made_table([5] * 20, noise=0.8, seed=2), seed=0)
    threshold = best_threshold(fitted_on.similarities, fitted_on.same)
    result = measure_decisions(pairs, threshold)
    right = (pairs.similarities >= threshold) == pairs.same
    assert result.accuracy.value == pytest.approx(right.mean())
    assert result.same_pairs == result.different_pairs == 200
    for estimate in (result.accuracy, result.precision, result.recall, result.f1):
        assert estimate.low < estimate.value < estimate.high


def test_evaluations_of_before_are_read_without_the_area_of_drawn_pairs() -> None:
    """Runs keep theirs, and ``verify`` reads the threshold."""
    pairs = draw_pairs(made_table([5] * 20, noise=0.8, seed=2), seed=0)
    result = measure_decisions(pairs, 0.5)
    former = result.model_dump() | {"auc": result.f1.model_dump(), "eer": result.f1.model_dump()}
    assert Decisions.model_validate(former) == result


def test_no_error_seen_is_not_told_as_no_error_possible() -> None:
    table = made_table([4] * 12, noise=0.01)
    result = measure_decisions(draw_pairs(table, seed=0), 0.9)
    for estimate in (result.accuracy, result.precision, result.recall):
        assert estimate.value == estimate.high == 1.0
        assert estimate.low < 0.98
    parts = split_open_set(table, 1, seed=0)
    outsiders = table.embeddings[parts.outsiders]
    point = identify_open_set(table.embeddings, parts.enrollment, outsiders, (0.1,)).points[0]
    assert point.fnir.value == 0.0
    assert point.fnir.high > 0.05


@given(st.integers(0, 50), st.sampled_from([10, 60, 20_000]))
@settings(deadline=None, max_examples=25)
def test_drawn_pairs_are_distinct_and_what_they_say(seed: int, most: int) -> None:
    table = made_table([1, 2, 3, 4, 30], seed=seed, unknown=4)
    pairs = draw_pairs(table, seed, most)
    assert len({tuple(sorted(row)) for row in pairs.rows.tolist()}) == len(pairs.rows)
    assert (pairs.rows[:, 0] != pairs.rows[:, 1]).all()
    assert (table.labels[pairs.rows] >= 0).all()
    same = table.labels[pairs.rows[:, 0]] == table.labels[pairs.rows[:, 1]]
    assert (pairs.same == same).all()
    assert 0 < pairs.same.sum() <= most
    expected = [float(table.embeddings[a] @ table.embeddings[b]) for a, b in pairs.rows]
    assert pairs.similarities == pytest.approx(expected, abs=1e-6)


def test_all_genuine_pairs_are_drawn_where_there_are_few() -> None:
    pairs = draw_pairs(made_table([4, 4, 2]), seed=0)
    assert len(pairs.genuine) == 6 + 6 + 1
    assert len(pairs.impostor) == 13


def test_pairs_need_two_identities_and_two_images() -> None:
    for photos in ([5], [1, 1, 1]):
        with pytest.raises(DataError, match="two identities"):
            draw_pairs(made_table(photos), seed=0)
