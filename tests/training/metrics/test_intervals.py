from __future__ import annotations

from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.foundation.arrays import FloatArray
from training.metrics.intervals import (
    SEED,
    bootstrap_mean,
    bootstrap_rate,
    bootstrap_statistic,
    clopper_pearson,
    mean_of_folds,
    percentile_interval,
    vertex_bootstrap,
)


def at_least(successes: int, trials: int, rate: float) -> float:
    return sum(
        comb(trials, k) * rate**k * (1 - rate) ** (trials - k) for k in range(successes, trials + 1)
    )


@given(st.integers(1, 40).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
@settings(deadline=None)
def test_clopper_pearson_bounds_leave_a_fortieth_on_either_side(counts: tuple[int, int]) -> None:
    successes, trials = counts
    interval = clopper_pearson(successes, trials)
    if successes > 0:
        assert at_least(successes, trials, interval.low) == pytest.approx(0.025, abs=1e-6)
    else:
        assert interval.low == 0
    if successes < trials:
        below = 1 - at_least(successes + 1, trials, interval.high)
        assert below == pytest.approx(0.025, abs=1e-6)
    else:
        assert interval.high == 1


def test_a_rate_of_no_trial_is_refused() -> None:
    with pytest.raises(ValueError, match="no rate"):
        clopper_pearson(0, 0)


def test_the_mean_of_folds_has_the_t_interval_of_the_textbook() -> None:
    estimate, error = mean_of_folds(np.array([0.9, 0.92, 0.94]), 30)
    assert error == pytest.approx(0.02 / np.sqrt(3))
    assert estimate.low == pytest.approx(0.92 - 4.302653 * error)


def test_resampling_people_widens_the_interval_when_their_trials_hang_together() -> None:
    people = np.repeat(np.arange(40), 25)
    together = bootstrap_rate(np.repeat(np.arange(40) % 4 == 0, 25), people)
    apart = bootstrap_rate(np.arange(1000) % 4 == 0, np.arange(1000))
    assert together.value == apart.value == 0.25
    assert together.high - together.low > 3 * (apart.high - apart.low)


def test_a_person_bootstrap_agrees_with_a_slow_one() -> None:
    random = np.random.default_rng(5)
    people = random.integers(0, 30, 300)
    events = random.random(300) < 0.3
    fast = bootstrap_rate(events, people)
    replicates = []
    for _ in range(2000):
        drawn = random.choice(np.unique(people), len(np.unique(people)))
        trials = np.concatenate([events[people == person] for person in drawn])
        replicates.append(trials.mean())
    low, high = np.percentile(replicates, [2.5, 97.5])
    assert fast.low == pytest.approx(low, abs=0.02)
    assert fast.high == pytest.approx(high, abs=0.02)


def test_one_person_who_resembles_many_widens_the_interval_of_a_pool() -> None:
    hub = np.array([[0, other] for other in range(1, 51)])
    spread = np.array([[2 * n, 2 * n + 1] for n in range(50)])
    of_hub, of_spread = vertex_bootstrap(hub, 100), vertex_bootstrap(spread, 100)
    assert of_hub.value == of_spread.value == 50 / 4950
    assert of_hub.high - of_hub.low > 2 * (of_spread.high - of_spread.low)


def test_nothing_seen_is_no_proof_of_nothing() -> None:
    nobody = vertex_bootstrap(np.zeros((0, 2), np.int64), 100)
    assert (nobody.value, nobody.low) == (0, 0)
    assert nobody.high == clopper_pearson(0, 4950).high
    always = bootstrap_rate(np.ones(50, bool), np.arange(50))
    assert always.low == clopper_pearson(50, 50).low


def test_bootstraps_repeat_to_the_digit() -> None:
    values, first, second = np.linspace(0, 1, 20), np.arange(20), np.arange(20) // 2

    def mean(weights: FloatArray) -> float:
        return float((values * weights).sum() / weights.sum())

    assert bootstrap_statistic(mean, first, second) == bootstrap_statistic(mean, first, second)


def test_pairs_are_resampled_by_drawing_people_and_repeating_their_pairs() -> None:
    random = np.random.default_rng(5)
    first = np.array([3, 3, 3, 5, 5, 9, 3, 9, 7])
    second = np.array([3, 3, 5, 5, 7, 9, 9, 5, 7])
    values = random.normal(size=len(first))

    def mean(weights: FloatArray) -> float:
        return float((values * weights).sum() / weights.sum()) if weights.any() else float("nan")

    found = bootstrap_statistic(mean, first, second, replicates=50)
    draws = np.random.default_rng(SEED)
    slow = []
    for _ in range(50):
        drawn = np.array([3, 5, 7, 9])[draws.integers(0, 4, 4)].tolist()
        repeated = []
        for a, b, value in zip(first, second, values, strict=True):
            times = drawn.count(a) if a == b else drawn.count(a) * drawn.count(b)
            repeated += [value] * times
        slow.append(np.mean(repeated))
    expected = percentile_interval(float(values.mean()), np.array(slow), len(values))
    assert found.value == pytest.approx(values.mean())
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_resamples_without_a_figure_are_left_out() -> None:
    first, second = np.array([0, 1, 0]), np.array([0, 1, 1])

    def only_with_the_first_pair(weights: FloatArray) -> float:
        return 2.0 if weights[0] else float("nan")

    found = bootstrap_statistic(only_with_the_first_pair, first, second)
    assert (found.low, found.value, found.high) == (2.0, 2.0, 2.0)


def test_a_mean_of_few_people_is_less_certain_than_that_of_many() -> None:
    values = np.sort(np.random.default_rng(0).normal(size=60))  # the ten of one person are alike
    one_each = bootstrap_mean(values, np.arange(60))
    few = bootstrap_mean(values, np.arange(60) // 10)
    assert one_each.value == few.value == pytest.approx(values.mean())
    assert few.high - few.low > 2 * (one_each.high - one_each.low)
