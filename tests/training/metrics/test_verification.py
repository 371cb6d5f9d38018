from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.foundation.arrays import FloatArray, IntArray
from training.metrics.verification import (
    area_under_curve,
    best_threshold,
    equal_error_rate,
    fold_accuracies,
    threshold_at_far,
    verify_all_pairs,
    verify_pairs,
)

scores = st.lists(st.integers(-20, 20).map(lambda n: n / 20), min_size=1, max_size=30).map(np.array)


def slow_threshold(different: FloatArray, far: float) -> float:
    """The lowest of all similarities, or just above the highest, that accepts few enough."""
    candidates = [-1.0, *(np.nextafter(value, 2) for value in sorted(different))]
    return float(
        next(t for t in candidates if sum(d >= t for d in different) <= far * len(different) + 1e-9)
    )


@given(scores, st.sampled_from([0.0, 0.01, 0.1, 0.25, 0.5]))
@settings(deadline=None)
def test_the_threshold_at_a_far_accepts_as_many_impostors_as_the_slow_search(
    different: FloatArray, far: float
) -> None:
    fast, slow = threshold_at_far(different, far), slow_threshold(different, far)
    assert (different >= fast).sum() == (different >= slow).sum()
    assert (different >= fast).mean() <= far + 1e-9


@given(scores)
@settings(deadline=None)
def test_thresholds_rise_as_the_false_accept_rate_falls(different: FloatArray) -> None:
    rates = [0.5, 0.1, 0.01, 0.0]
    thresholds = [threshold_at_far(different, far) for far in rates]
    assert thresholds == sorted(thresholds)


def test_a_threshold_of_float32_similarities_refuses_the_one_it_must() -> None:
    different = np.array([0.1, 0.3, 0.3, 0.2], np.float32)
    assert not (different >= threshold_at_far(different, 0.0)).any()


def test_no_threshold_without_impostors() -> None:
    with pytest.raises(ValueError, match="impostors"):
        threshold_at_far(np.zeros(0), 0.1)


@given(scores, scores)
@settings(deadline=None)
def test_auc_counts_wins_and_half_the_ties(same: FloatArray, different: FloatArray) -> None:
    wins = sum((s > d) + (s == d) / 2 for s in same for d in different)
    assert area_under_curve(same, different) == pytest.approx(wins / (len(same) * len(different)))


@given(scores, scores)
@settings(deadline=None)
def test_eer_is_the_mean_error_where_both_are_closest(
    same: FloatArray, different: FloatArray
) -> None:
    errors = [
        (float((different >= t).mean()), float((same < t).mean()))
        for t in sorted({*same, *different})
    ]
    gaps = [abs(false - missed) for false, missed in errors]
    allowed = [
        (false + missed) / 2
        for (false, missed), gap in zip(errors, gaps, strict=True)
        if gap <= min(gaps) + 1e-12
    ]
    assert any(equal_error_rate(same, different) == pytest.approx(value) for value in allowed)


@given(scores, st.integers(0, 2**30))
@settings(deadline=None)
def test_the_best_threshold_makes_as_few_errors_as_any(similarities: FloatArray, seed: int) -> None:
    same = np.random.default_rng(seed).random(len(similarities)) < 0.5
    chosen = best_threshold(similarities, same)
    errors = {t: ((similarities >= t) != same).sum() for t in set(similarities)}
    assert errors[chosen] == min(errors.values())


def made_pairs() -> tuple[FloatArray, np.ndarray, IntArray]:
    random = np.random.default_rng(3)
    same = np.tile([True] * 6 + [False] * 6, 10)
    similarities = np.where(same, 0.5, 0.1) + 0.2 * random.normal(size=120)
    return similarities, same, np.repeat(np.arange(10), 12)


def test_fold_accuracy_never_sees_its_own_fold() -> None:
    similarities, same, folds = made_pairs()
    accuracies, thresholds = fold_accuracies(similarities, same, folds)
    for fold in range(10):
        others = folds != fold
        candidates = sorted(set(similarities[others]))
        right = [((similarities[others] >= t) == same[others]).sum() for t in candidates]
        threshold = candidates[int(np.argmax(right))]
        assert thresholds[fold] == threshold
        expected = ((similarities[~others] >= threshold) == same[~others]).mean()
        assert accuracies[fold] == expected


def test_view2_reports_the_mean_of_the_folds_within_its_interval() -> None:
    similarities, same, folds = made_pairs()
    result = verify_pairs(similarities, same, folds, shown_people(same, 240))
    accuracies, _ = fold_accuracies(similarities, same, folds)
    assert result.accuracy.value == pytest.approx(accuracies.mean())
    assert result.standard_error == pytest.approx(accuracies.std(ddof=1) / np.sqrt(10))
    assert result.accuracy.low < result.accuracy.value < result.accuracy.high
    assert result.eer.low <= result.eer.value <= result.eer.high
    assert (result.same_pairs, result.different_pairs) == (60, 60)


def shown_people(same: np.ndarray, count: int) -> IntArray:
    """Return whom each pair shows, ``(N, 2)``: of ``count`` people, in turn."""
    first = np.arange(len(same)) % count
    return np.stack([first, np.where(same, first, (first + 1) % count)], axis=1)


def test_view2_is_as_accurate_as_before_its_intervals_resampled_people() -> None:
    similarities, same, folds = made_pairs()
    result = verify_pairs(similarities, same, folds, shown_people(same, 240))
    genuine, impostors = similarities[same], similarities[~same]
    assert result.auc.value == pytest.approx(area_under_curve(genuine, impostors), abs=1e-12)
    assert result.eer.value == pytest.approx(equal_error_rate(genuine, impostors), abs=1e-12)
    assert (result.auc.trials, result.eer.trials) == (120, 120)


def test_view2_of_few_people_is_less_certain_than_of_many() -> None:
    """Some people are recognised in every pair and some in none: their pairs hang together."""
    owner = np.repeat(np.arange(12), 20)
    same = np.arange(240) % 2 == 0
    hard = owner % 3 == 0
    noise = 0.05 * np.random.default_rng(4).normal(size=240)
    similarities = np.where(same & ~hard, 0.6, 0.1) + noise
    folds = np.arange(240) % 10
    few = verify_pairs(similarities, same, folds, np.stack([owner, np.where(same, owner, 99)], 1))
    alone = np.arange(240)
    each = np.stack([alone, np.where(same, alone, alone + 1000)], 1)
    many = verify_pairs(similarities, same, folds, each)
    for certain, uncertain in ((many.auc, few.auc), (many.eer, few.eer)):
        assert uncertain.value == certain.value
        assert uncertain.high - uncertain.low > 1.5 * (certain.high - certain.low)


def test_tar_over_all_pairs_is_the_share_above_the_threshold() -> None:
    same, different = np.array([0.9, 0.5, 0.2, 0.8]), np.linspace(-1, 0.6, 100)
    result = verify_all_pairs(same, np.array([0, 0, 1, 2]), different, (0.1, 0.01))
    for point in result.tar_at_far:
        assert point.tar.value == (same >= point.threshold).mean()
        assert (different >= point.threshold).sum() == round(point.far * 100)
    assert result.people == 3
