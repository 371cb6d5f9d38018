"""Calibration figures against sums over pairs, written out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.metrics.made_tables import made_table
from training.metrics.platt import CalibrationError
from training.metrics.reliability import (
    calibration_error,
    equal_mass_bins,
    equal_width_bins,
    log_losses,
    measure_reliability,
    reliability_bins,
    squared_errors,
)
from training.metrics.scored_pairs import ScoredPairs, draw_pairs

#: No tenth among them but 0, 0.5 and 1, which are exact: on an edge a product may round down.
probability = st.one_of(
    st.sampled_from([0.0, 1.0]), st.integers(0, 40).map(lambda n: (2 * n + 1) / 82)
)
predictions = st.lists(st.tuples(probability, st.booleans()), min_size=1, max_size=60)


@given(predictions)
@settings(deadline=None)
def test_ece_of_wide_bins_equals_the_slow_sum(listed: list[tuple[float, bool]]) -> None:
    probabilities, same = np.array([p for p, _ in listed]), np.array([s for _, s in listed])
    slow = 0.0
    for number in range(10):
        inside = [
            (p, s)
            for p, s in listed
            if number / 10 <= p < (number + 1) / 10 or (number == 9 and p == 1.0)
        ]
        if inside:
            confidence = sum(p for p, _ in inside) / len(inside)
            share = sum(s for _, s in inside) / len(inside)
            slow += len(inside) / len(listed) * abs(confidence - share)
    bins = equal_width_bins(probabilities, 10)
    found = calibration_error(probabilities, same, bins, np.ones(len(same)))
    assert found == pytest.approx(slow)
    weighted = calibration_error(probabilities, same, bins, np.full(len(same), 3.0))
    assert weighted == pytest.approx(found)


@given(predictions)
@settings(deadline=None)
def test_ece_of_full_bins_equals_the_slow_sum(listed: list[tuple[float, bool]]) -> None:
    probabilities, same = np.array([p for p, _ in listed]), np.array([s for _, s in listed])
    ranked = sorted(range(len(listed)), key=lambda place: (listed[place][0], place))
    sizes = [len(ranked) // 5 + (number < len(ranked) % 5) for number in range(5)]
    slow, start = 0.0, 0
    for size in sizes:
        members = ranked[start : start + size]
        slow += abs(sum(listed[m][0] - listed[m][1] for m in members)) / len(listed)
        start += size
    bins = equal_mass_bins(probabilities, 5)
    found = calibration_error(probabilities, same, bins, np.ones(len(same)))
    assert found == pytest.approx(slow)


@given(predictions)
@settings(deadline=None)
def test_brier_and_log_loss_equal_their_definitions(listed: list[tuple[float, bool]]) -> None:
    probabilities, same = np.array([p for p, _ in listed]), np.array([s for _, s in listed])
    for place, (p, s) in enumerate(listed):
        truth = p if s else 1 - p
        assert squared_errors(probabilities, same)[place] == pytest.approx((p - s) ** 2)
        expected = -math.log(max(truth, 1e-12))
        assert log_losses(probabilities, same)[place] == pytest.approx(expected)


def test_bins_hold_every_pair_once_and_their_means() -> None:
    probabilities = np.array([0.0, 0.02, 0.5, 1.0])
    bins = reliability_bins(probabilities, np.array([False, True, True, True]))
    assert [b.pairs for b in bins] == [2, 1, 1]
    assert bins[0].probability == pytest.approx(0.01)
    assert [b.same for b in bins] == [0.5, 1.0, 1.0]
    assert bins[-1].high == 1.0


def test_a_line_fitted_on_the_same_kind_of_pairs_is_calibrated() -> None:
    fitted_on = draw_pairs(made_table([6] * 60, noise=0.9, seed=1), seed=0)
    pairs = draw_pairs(made_table([6] * 60, noise=0.9, seed=2), seed=0)
    good = measure_reliability(fitted_on, pairs)
    assert good.ece.value < 0.05
    assert good.log_loss.value < math.log(2)
    assert good.cllr == pytest.approx(good.log_loss.value / math.log(2), abs=1e-3)
    shifted = ScoredPairs(pairs.rows, pairs.similarities - 0.3, pairs.first, pairs.second)
    bad = measure_reliability(fitted_on, shifted)
    assert bad.ece.value > 3 * good.ece.value
    assert bad.brier.value > good.brier.value
    for estimate in (good.ece, good.ece_equal_mass, good.brier, good.log_loss):
        assert estimate.low <= estimate.value <= estimate.high


def test_a_score_that_tells_nothing_cannot_be_calibrated() -> None:
    pairs = draw_pairs(made_table([4] * 10), seed=0)
    turned = ScoredPairs(pairs.rows, -pairs.similarities, pairs.first, pairs.second)
    with pytest.raises(CalibrationError):
        measure_reliability(turned, pairs)
