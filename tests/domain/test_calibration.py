from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.calibration import (
    Calibration,
    PlattCalibration,
    gallery_posterior,
    pair_probability,
)
from app.domain.tails import GenuineScores, ImpostorTail

ratios = st.lists(st.floats(-600, 600), min_size=1, max_size=40)
priors = st.floats(0.001, 0.999)

CALIBRATION = Calibration(
    (PlattCalibration(1, 10.0, -3.0), PlattCalibration(3, 20.0, -8.0), PlattCalibration(5, 25, -9))
)
TAIL = ImpostorTail("everyone", ((0.1, 0.1), (0.01, 0.2), (0.001, 0.35), (0.0001, 0.5)), 0.0005)


@given(ratios, priors)
def test_posterior_sums_to_one_over_everybody_and_nobody(values: list[float], prior: float) -> None:
    probabilities, nobody = gallery_posterior(np.asarray(values), prior)
    assert math.isclose(float(probabilities.sum()) + nobody, 1.0, abs_tol=1e-9)
    assert (probabilities >= 0).all()
    assert nobody >= 0


@given(st.lists(st.floats(-20, 20), min_size=1, max_size=12), priors)
def test_posterior_is_bayes_by_enumeration(values: list[float], prior: float) -> None:
    joint = [(1 - prior) / len(values) * math.exp(value) for value in values]
    evidence = prior + sum(joint)
    probabilities, nobody = gallery_posterior(np.asarray(values), prior)
    np.testing.assert_allclose(probabilities, [term / evidence for term in joint], rtol=1e-9)
    assert math.isclose(nobody, prior / evidence, rel_tol=1e-9)


def test_an_empty_gallery_leaves_nobody() -> None:
    probabilities, nobody = gallery_posterior(np.zeros(0), 0.5)
    assert len(probabilities) == 0
    assert nobody == 1.0


@given(ratios, priors)
def test_a_stronger_likeness_never_lowers_its_probability(
    values: list[float], prior: float
) -> None:
    before, _ = gallery_posterior(np.asarray(values), prior)
    raised = np.asarray(values)
    raised[0] += 1.0
    after, _ = gallery_posterior(raised, prior)
    assert after[0] >= before[0] - 1e-12


def test_each_comparison_is_read_by_the_line_for_its_photo_count() -> None:
    scores = np.asarray([0.5, 0.5, 0.5, 0.5, 0.5])
    read = CALIBRATION.log_likelihood_ratios(scores, np.asarray([1, 2, 3, 4, 9]))
    np.testing.assert_allclose(read, [2.0, 2.0, 2.0, 2.0, 3.5])


@pytest.mark.parametrize(
    "lines",
    [
        (),
        (PlattCalibration(2, 10, 0),),
        (PlattCalibration(1, -1.0, 0),),
        (PlattCalibration(1, 1, 0), PlattCalibration(1, 2, 0)),
    ],
)
def test_a_calibration_that_makes_no_sense_is_refused(lines: tuple[PlattCalibration, ...]) -> None:
    with pytest.raises(ValueError, match="calibration"):
        Calibration(lines)


@given(st.floats(-700, 700), priors)
def test_pair_probability_is_bayes(ratio: float, prior: float) -> None:
    expected = 1 / (1 + (1 - prior) / prior * math.exp(-ratio))
    assert math.isclose(pair_probability(ratio, prior), expected, rel_tol=1e-9, abs_tol=1e-12)


@given(st.floats(0.0001, 0.1), st.floats(0.0001, 0.1))
def test_a_smaller_risk_needs_a_higher_threshold(first: float, second: float) -> None:
    low, high = sorted((first, second))
    assert TAIL.threshold_at(low) >= TAIL.threshold_at(high)


@given(st.floats(0.0001, 0.1))
def test_threshold_and_rate_are_each_other_inverted(rate: float) -> None:
    assert math.isclose(TAIL.false_match_rate_at(TAIL.threshold_at(rate)), rate, rel_tol=1e-6)


@pytest.mark.parametrize("rate", [0.5, 1e-6])
def test_a_rate_outside_the_measured_range_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="outside the measured range"):
        TAIL.threshold_at(rate)


def test_a_tail_that_does_not_fall_is_refused() -> None:
    with pytest.raises(ValueError, match="descending"):
        ImpostorTail("x", ((0.01, 0.1), (0.1, 0.2)), 0.0)
    with pytest.raises(ValueError, match="ascending"):
        ImpostorTail("x", ((0.1, 0.2), (0.01, 0.1)), 0.0)


def test_upper_bounds_lie_above_their_points_and_set_the_cautious_threshold() -> None:
    points = ((0.1, 0.1), (0.01, 0.2), (0.001, 0.35))
    bounded = ImpostorTail("x", points, 0.01, (0.1, 0.25, 0.5))
    assert bounded.threshold_at(0.001) == 0.35
    assert bounded.upper_at(0.001) == 0.5
    assert bounded.rarest_rate == 0.01
    assert TAIL.upper_at(0.002) == TAIL.threshold_at(0.002)
    for uppers in ((0.1, 0.2), (0.1, 0.3, 0.2), (0.1, 0.2, 0.34)):
        with pytest.raises(ValueError, match="upper bounds"):
            ImpostorTail("x", points, 0.01, uppers)


def test_genuine_scores_tell_the_share_below_a_threshold() -> None:
    scores = GenuineScores(3, ((0.0, 0.2), (0.1, 0.4), (1.0, 0.9)))
    assert scores.false_non_match_rate_at(0.1) == 0.0
    assert math.isclose(scores.false_non_match_rate_at(0.3), 0.05)
    assert scores.false_non_match_rate_at(0.95) == 1.0
    with pytest.raises(ValueError, match="ascending"):
        GenuineScores(1, ((0.5, 0.2), (0.1, 0.4)))
