from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import expit

from training.foundation.arrays import FloatArray
from training.metrics.platt import CalibrationError, binned, fit_platt, likelihood_ratio_cost


def made_scores(seed: int, gap: float) -> tuple[FloatArray, FloatArray]:
    random = np.random.default_rng(seed)
    same = np.clip(0.2 + gap + 0.15 * random.normal(size=200), -1, 1)
    return same, np.clip(0.2 + 0.15 * random.normal(size=3000), -1, 1)


def slow_platt(same: FloatArray, different: FloatArray) -> tuple[float, float]:
    """Platt's loss at equal priors, score by score, given to a general minimiser."""
    high, low = (len(same) + 1) / (len(same) + 2), 1 / (len(different) + 2)

    def loss(line: FloatArray) -> float:
        def cross_entropy(scores: FloatArray, target: float) -> float:
            logits = line[0] * scores + line[1]
            return float(np.mean(np.logaddexp(0, logits) - target * logits))

        return cross_entropy(same, high) + cross_entropy(different, low)

    found = minimize(
        loss,
        np.zeros(2),
        method="Nelder-Mead",
        options={"maxiter": 4000, "xatol": 1e-7, "fatol": 1e-13},
    )
    return float(found.x[0]), float(found.x[1])


@pytest.mark.parametrize(("seed", "gap"), [(0, 0.1), (1, 0.3), (2, 0.5), (3, 0.9)])
def test_the_line_is_that_of_a_general_minimiser(seed: int, gap: float) -> None:
    same, different = made_scores(seed, gap)
    slope, intercept = fit_platt(same, different)
    slow_slope, slow_intercept = slow_platt(same, different)
    assert slope == pytest.approx(slow_slope, rel=5e-3)
    assert intercept == pytest.approx(slow_intercept, rel=5e-3)


@given(st.integers(0, 10_000), st.floats(0.05, 1.0), st.floats(0.02, 0.3))
@settings(deadline=None, max_examples=30)
def test_the_line_lies_where_the_cross_entropy_no_longer_falls(
    seed: int, gap: float, spread: float
) -> None:
    random = np.random.default_rng(seed)
    same = np.clip(0.1 + gap + spread * random.normal(size=60), -1, 1)
    different = np.clip(0.1 + spread * random.normal(size=900), -1, 1)
    try:
        slope, intercept = fit_platt(same, different)
    except CalibrationError:
        return  # by chance no more similar
    slopes = np.zeros(2)
    for scores, target in ((same, 61 / 62), (different, 1 / 902)):
        centres, shares = binned(scores)
        surplus = shares * (expit(slope * centres + intercept) - target) / 2
        slopes += (surplus @ centres, surplus.sum())
    assert np.abs(slopes).max() < 1e-7


def test_gaussian_scores_get_their_true_likelihood_ratio() -> None:
    random = np.random.default_rng(9)
    same, different = 0.5 + 0.1 * random.normal(size=200_000), 0.1 * random.normal(size=200_000)
    slope, intercept = fit_platt(same, different)
    assert slope == pytest.approx(50, rel=0.05)  # (0.5 - 0) / 0.1 ** 2
    assert -intercept / slope == pytest.approx(0.25, abs=0.005)


def test_more_different_pairs_of_the_same_kind_do_not_move_the_line() -> None:
    same, different = made_scores(4, 0.3)
    few, many = fit_platt(same, different), fit_platt(same, np.tile(different, 50))
    assert few == pytest.approx(many, rel=0.01)


def test_scores_that_do_not_overlap_still_get_a_finite_line() -> None:
    slope, intercept = fit_platt(np.full(50, 0.9), np.full(50, 0.1))
    assert np.isfinite([slope, intercept]).all()
    assert slope > 0


def test_scores_that_say_nothing_are_refused() -> None:
    with pytest.raises(CalibrationError, match="no more similar"):
        fit_platt(np.array([0.1, 0.2]), np.array([0.8, 0.9]))
    with pytest.raises(CalibrationError, match="needs scores"):
        fit_platt(np.zeros(0), np.array([0.8]))


def test_cllr_is_that_of_its_definition() -> None:
    same, different = made_scores(5, 0.3)
    missed = np.mean(np.log2(1 + np.exp(-(20 * same - 6))))
    false = np.mean(np.log2(1 + np.exp(20 * different - 6)))
    measured = likelihood_ratio_cost(same, different, 20, -6)
    assert measured == pytest.approx((missed + false) / 2, rel=1e-2)
    assert likelihood_ratio_cost(same, different, 1e-9, 0) == pytest.approx(1)


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=50))
@settings(deadline=None)
def test_bins_keep_the_mean(similarities: list[float]) -> None:
    centres, shares = binned(np.array(similarities))
    assert shares.sum() == pytest.approx(1)
    assert float(centres @ shares) == pytest.approx(np.mean(similarities), abs=1e-4)
