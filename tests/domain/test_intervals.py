from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from app.domain.intervals import clopper_pearson, interval_of_share


@given(st.integers(1, 300), st.data())
def test_the_bounds_are_the_rates_at_which_the_count_is_just_believable(
    trials: int, data: st.DataObject
) -> None:
    errors = data.draw(st.integers(0, trials))
    rate = clopper_pearson(errors, trials)
    assert rate.low <= rate.rate <= rate.high
    if errors:
        assert binom.sf(errors - 1, trials, rate.low) == pytest.approx(0.025)
    if errors < trials:
        assert binom.cdf(errors, trials, rate.high) == pytest.approx(0.025)


def test_no_error_is_not_no_risk() -> None:
    rate = clopper_pearson(0, 1000)
    assert rate.rule_of_three == pytest.approx(0.003)
    assert rate.high == pytest.approx(0.00368, abs=1e-5)
    assert clopper_pearson(1, 1000).rule_of_three is None


def test_many_trials_keep_a_finite_interval() -> None:
    rate = clopper_pearson(30, 300_000_000)
    assert 6e-8 < rate.low < 1e-7 < rate.high < 1.5e-7


@pytest.mark.parametrize(("errors", "trials"), [(0, 0), (2, 1), (-1, 5)])
def test_what_is_no_rate_is_refused(errors: int, trials: int) -> None:
    with pytest.raises(ValueError, match="no rate"):
        clopper_pearson(errors, trials)


@given(st.floats(0, 1), st.integers(1, 300))
def test_a_share_lies_within_its_interval_between_those_of_whole_counts(
    share: float, trials: int
) -> None:
    low, high = interval_of_share(share, trials)
    assert 0 <= low <= share <= high <= 1
    fewer, more = math.floor(share * trials), min(trials, math.ceil(share * trials))
    assert clopper_pearson(fewer, trials).low <= low + 1e-9
    assert high <= clopper_pearson(more, trials).high + 1e-9


@pytest.mark.parametrize(("share", "trials"), [(0.5, 0), (-0.1, 5), (1.1, 5), (math.nan, 5)])
def test_what_is_no_share_is_refused(share: float, trials: int) -> None:
    with pytest.raises(ValueError, match="no rate"):
        interval_of_share(share, trials)
