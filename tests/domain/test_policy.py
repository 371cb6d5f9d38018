from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import UnsupportedRiskError
from app.domain.intervals import interval_of_share
from app.domain.model_manifest import Threshold
from app.domain.policy import (
    PromiseFor,
    RiskPolicy,
    RiskTargets,
    attempt_rate,
    comparison_rate,
    duplicate_similarity,
)
from app.domain.tails import GenuineScores, ImpostorTail
from tests.services.fakes import MANIFEST

rates = st.floats(1e-4, 0.4)
galleries = st.integers(1, 20_000)

MIXED = ImpostorTail("everyone", ((0.1, 0.1), (1e-3, 0.3), (1e-7, 0.5)), 1e-6)
GROUP = ImpostorTail("one group", ((0.1, 0.2), (1e-3, 0.4), (1e-7, 0.6)), 1e-4, (0.2, 0.42, 0.7))
MODEL = dataclasses.replace(
    MANIFEST,
    tails=(MIXED, GROUP),
    identify=Threshold(GROUP.threshold_at(1e-4) + 0.03, 1e-4, "one group"),
    genuine=(
        GenuineScores(1, ((0.0, 0.3), (1.0, 0.9))),
        GenuineScores(3, ((0.0, 0.5), (1.0, 0.95)), people=40),
    ),
)


def policy(fpir: float = 0.01, fmr: float = 0.001, least: float | None = None) -> RiskPolicy:
    return RiskPolicy(MODEL, RiskTargets(fpir, fmr, least))


@given(rates, galleries)
def test_the_rate_of_a_comparison_gives_back_that_of_an_attempt(rate: float, people: int) -> None:
    assert math.isclose(attempt_rate(comparison_rate(rate, people), people), rate, rel_tol=1e-9)


def test_strangers_who_match_independently_meet_the_promise() -> None:
    generator = np.random.default_rng(1)
    people = 200
    rate = comparison_rate(0.05, people)
    matched = (generator.random((20_000, people)) < rate).any(axis=1).mean()
    assert matched == pytest.approx(0.05, abs=0.005)


@given(rates, galleries, galleries)
def test_the_threshold_rises_with_people_and_with_caution(rate: float, few: int, more: int) -> None:
    few, more = sorted((few, more))
    risk = policy()
    loose = risk.promise(rate, few).threshold.similarity
    assert risk.promise(rate, more).threshold.similarity >= loose
    assert risk.promise(rate / 2, few).threshold.similarity >= loose


def test_the_worst_group_at_its_upper_bound_sets_the_threshold() -> None:
    promise = policy().promise(0.001, 1)
    # At 1e-3 the group's bound is .42; centroids of several photos lie .03 higher.
    assert promise.threshold.similarity == pytest.approx(0.45)
    assert promise.threshold.population == "one group"
    assert promise.promised_rate == pytest.approx(0.001)
    assert promise.worst_group_rate < 0.001
    assert promise.mixed_rate < promise.worst_group_rate
    assert promise.kept


def test_a_promise_to_mixed_strangers_asks_what_the_mixed_tail_asks() -> None:
    worst = policy().promise(0.001, 1)
    mixed = RiskPolicy(MODEL, RiskTargets(0.01, 0.001, promise_for=PromiseFor.MIXED))
    promise = mixed.promise(0.001, 1)
    # At 1e-3 the mixed tail's bound is .30; centroids of several photos lie .03 higher.
    assert promise.threshold.similarity == pytest.approx(0.33)
    assert promise.threshold.population == "everyone"
    assert promise.promise_for is PromiseFor.MIXED
    assert promise.promised_rate == pytest.approx(0.001)
    assert promise.mixed_rate == pytest.approx(0.001)
    assert promise.worst_group_rate > 0.001  # what it breaks is told, and not hidden
    assert promise.worst_group_rate == max(one.rate for one in promise.met)
    assert [one.population for one in promise.met] == ["everyone", "one group"]
    assert promise.kept
    assert mixed.verify() == promise
    assert policy().promise(0.001, 1, promise_for=PromiseFor.MIXED) == promise
    assert mixed.promise(0.001, 1, promise_for=PromiseFor.WORST_GROUP) == worst


def test_whom_it_is_promised_to_decides_how_rare_a_risk_the_data_supports() -> None:
    unsure = ImpostorTail("one group", GROUP.points, 1e-3)
    model = dataclasses.replace(MODEL, tails=(MIXED, unsure))
    worst = RiskPolicy(model, RiskTargets(0.01, 0.001))
    mixed = RiskPolicy(model, RiskTargets(0.01, 0.001, promise_for=PromiseFor.MIXED))
    assert mixed.rarest_rate == MIXED.rarest_rate < worst.rarest_rate == unsure.rarest_rate
    assert mixed.max_people(0.01) > worst.max_people(0.01)
    assert worst.max_people(0.01, PromiseFor.MIXED) == mixed.max_people(0.01)
    people = worst.max_people(0.01) + 1
    with pytest.raises(UnsupportedRiskError):
        worst.require_supported(0.01, people)
    mixed.require_supported(0.01, people)
    assert not mixed.promise(0.01, people, promise_for=PromiseFor.WORST_GROUP).kept


@given(rates, galleries)
def test_a_promise_to_the_worst_group_holds_for_everybody_and_is_never_looser(
    rate: float, people: int
) -> None:
    worst = policy().promise(rate, people)
    mixed = policy().promise(rate, people, promise_for=PromiseFor.MIXED)
    assert mixed.threshold.similarity <= worst.threshold.similarity
    for promise in (worst, mixed):
        assert all(one.rate <= one.upper + 1e-12 for one in promise.met)
    if worst.kept:
        held = rate * (1 + 1e-9)
        assert all(one.upper <= held for one in worst.met)
        assert mixed.met[0].upper <= held


def test_a_floor_and_a_setting_make_it_stricter_and_never_looser() -> None:
    plain = policy().promise(0.01, 10)
    assert policy(least=0.2).promise(0.01, 10) == plain
    assert policy().promise(0.01, 10, floor=-0.5) == plain
    stricter = policy(least=0.65).promise(0.01, 10)
    assert stricter.threshold.similarity == 0.65
    assert stricter.promised_rate < plain.promised_rate
    assert policy().promise(0.01, 10, floor=0.66).threshold.similarity == 0.66


def test_a_rate_beyond_the_data_is_refused_and_never_promised() -> None:
    risk = policy()
    assert risk.rarest_rate == pytest.approx(1e-7)
    assert risk.max_people(0.01) == 100_503
    risk.require_supported(0.01, 100_503)
    with pytest.raises(UnsupportedRiskError, match="at most 100503 people"):
        risk.require_supported(0.01, 100_504)
    beyond = risk.promise(0.01, 1_000_000)
    assert not beyond.kept
    assert beyond.promised_rate > 0.01
    last = risk.promise(0.01, 100_503).threshold.similarity
    assert beyond.threshold.similarity == pytest.approx(last, abs=1e-6)
    with pytest.raises(UnsupportedRiskError):
        policy(fpir=1e-8)
    with pytest.raises(UnsupportedRiskError):
        policy(fmr=1e-8)


def test_a_tail_is_not_trusted_where_its_bound_lies_far_above_it() -> None:
    points = ((0.1, 0.1), (1e-3, 0.3), (1e-5, 0.4), (1e-7, 0.5))
    sure = ImpostorTail("x", points, 1e-6, (0.1, 0.31, 0.45, 0.9))
    assert sure.rarest_rate == 1e-5
    assert ImpostorTail("x", points, 1e-6).rarest_rate == 1e-7
    assert ImpostorTail("x", points, 1e-3).rarest_rate == 1e-6


def test_more_photos_buy_fewer_rejections() -> None:
    risk = policy()
    one, three = risk.false_rejections(lambda _: 0.6)
    assert (one.photos, three.photos) == (1, 3)
    assert one.rate == pytest.approx(0.5)
    assert one.similarity == 0.6
    assert three.rate < one.rate


SHIFTED = dataclasses.replace(MODEL, centroid_shifts=((1, 0.0), (2, 0.01), (5, 0.03)))


@pytest.mark.parametrize(
    ("photos", "more"), [(1, 0.0), (2, 0.01), (3, 0.03), (5, 0.03), (9, 0.03), (None, 0.03)]
)
def test_who_has_fewer_photos_is_asked_for_less(photos: int | None, more: float) -> None:
    risk = RiskPolicy(SHIFTED, RiskTargets(0.01, 0.001))
    single = GROUP.upper_at(comparison_rate(0.01, 10))
    promise = risk.promise(0.01, 10, photos=photos)
    assert promise.threshold.similarity == pytest.approx(single + more)
    # What is promised is the same whatever the number.
    assert promise.promised_rate == pytest.approx(risk.promise(0.01, 10).promised_rate)
    fused = risk.promise(0.01, 10, photos=photos, fused=True).threshold.similarity
    assert fused == pytest.approx(single + more + 0.03)
    # A floor by the customer's own strangers holds for everybody.
    assert risk.promise(0.01, 10, floor=0.9, photos=photos).threshold.similarity == 0.9


def test_a_model_that_does_not_tell_by_photos_asks_the_most_of_everybody() -> None:
    assert policy().promise(0.01, 10, photos=1) == policy().promise(0.01, 10)


def test_an_interval_of_rejections_counts_people_where_the_model_tells_how_many() -> None:
    untold, told = policy().false_rejections(lambda _: 0.6)
    assert (untold.people, untold.interval) == (None, None)
    assert told.people == 40
    assert told.interval == interval_of_share(told.rate, 40)
    low, high = told.interval
    assert low < told.rate < high


def test_the_best_estimate_of_a_threshold_does_without_the_upper_bound() -> None:
    promise = policy().promise(0.001, 1)
    # The group's own point at 1e-3 is .40, its bound .42; centroids lie .03 higher.
    assert promise.threshold_estimate == pytest.approx(0.43)
    assert promise.threshold_estimate < promise.threshold.similarity
    forced = policy(least=0.65).promise(0.001, 1)
    assert forced.threshold_estimate == forced.threshold.similarity == 0.65
    assert policy().promise(0.001, 1, floor=0.44).threshold_estimate == 0.44


@given(rates, galleries)
def test_a_threshold_is_never_below_its_best_estimate(rate: float, people: int) -> None:
    promise = policy().promise(rate, people)
    assert promise.threshold_estimate <= promise.threshold.similarity
    assert promise.worst_group_rate <= promise.promised_rate + 1e-12


def test_a_burst_must_reach_more_for_its_mean_is_closer_to_everybody() -> None:
    risk = policy()
    one, several = risk.promise(0.01, 10), risk.promise(0.01, 10, fused=True)
    assert several.threshold.similarity == pytest.approx(one.threshold.similarity + 0.03)
    assert several.promised_rate == pytest.approx(one.promised_rate)
    assert risk.verify(fused=True).threshold.similarity > risk.verify().threshold.similarity


def test_the_guard_against_doubles_asks_for_more_as_people_come_and_never_for_less() -> None:
    strict = RiskPolicy(MODEL, RiskTargets(1e-4, 1e-4))
    asked = [duplicate_similarity(MODEL, strict, people) for people in (0, 1, 51, 100, 1_000)]
    assert asked[0] == asked[1] == asked[2] < asked[3] < asked[4]


def test_whom_a_lax_door_takes_for_one_person_is_asked_about() -> None:
    lax = RiskPolicy(MODEL, RiskTargets(0.4, 0.4))
    for people in (51, 100, 1_000):
        door = lax.promise(0.4, people).threshold.similarity
        strict = duplicate_similarity(MODEL, RiskPolicy(MODEL, RiskTargets(1e-4, 1e-4)), people)
        assert duplicate_similarity(MODEL, lax, people) == door < strict
