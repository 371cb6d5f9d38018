from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from app.domain.tail_fit import (
    MIN_MATCHES,
    RATES,
    ParetoTail,
    fit_pareto_tail,
    measure_tail,
    similarity_reached,
)
from app.domain.tails import ImpostorTail
from training.calibration.results import Tail
from training.calibration.thresholds import choose_thresholds, worst_tail
from training.calibration.uncertainty import pair_people, upper_bounds
from training.foundation.arrays import Matrix
from training.metrics.pairs import pair_positions, pair_similarities
from training.recipes.build_recipe import load_build_recipe

SETTINGS = load_build_recipe().calibrate


@given(st.integers(0, 1000), st.integers(60, 5000), st.floats(0.02, 0.3))
@settings(deadline=None, max_examples=60)
def test_a_tail_is_one_that_the_service_accepts(seed: int, pairs: int, spread: float) -> None:
    random = np.random.default_rng(seed)
    similarities = np.clip(0.1 + spread * random.normal(size=pairs), -1, 0.99)
    tail = measure_tail(similarities.astype(np.float32))
    accepted = ImpostorTail("made", tail.points, tail.extrapolated_below)
    thresholds = [accepted.threshold_at(rate) for rate in (1e-1, 1e-2, 1e-3, 1e-4, 1e-6)]
    assert thresholds == sorted(thresholds)
    assert max(thresholds) < 1


def test_measured_rates_are_the_shares_that_reach_the_point() -> None:
    similarities = np.random.default_rng(1).normal(0.1, 0.1, 200_000)
    tail = measure_tail(similarities)
    for rate, similarity in tail.points:
        if rate >= tail.extrapolated_below:
            reached = (similarities >= similarity).mean()
            assert reached == pytest.approx(rate, abs=1.5 / len(similarities))
    assert tail.extrapolated_below == MIN_MATCHES / len(similarities)


def test_ten_times_the_doubtful_pairs_are_not_read_off() -> None:
    similarities = np.random.default_rng(1).normal(0.1, 0.1, 200_000)
    assert measure_tail(similarities, 30).extrapolated_below == 300 / 200_000


def test_extrapolation_comes_near_what_many_more_pairs_show() -> None:
    random = np.random.default_rng(2)
    everyone = np.clip(random.normal(0.05, 0.1, 10_000_000), -1, 1).astype(np.float32)
    few = measure_tail(everyone[:200_000])
    truth = np.sort(everyone)
    for rate, similarity in few.points:
        if 2e-6 < rate < few.extrapolated_below:
            assert similarity == pytest.approx(similarity_reached(truth, rate), abs=0.03)


@pytest.mark.parametrize("shape", [-0.3, 0.0, 0.2])
def test_the_pareto_fit_finds_the_distribution_it_was_drawn_from(shape: float) -> None:
    random = np.random.default_rng(3)
    excesses = stats.genpareto.rvs(shape, scale=0.05, size=20_000, random_state=random)
    body = random.uniform(-0.5, 0, 20_000 * 999)
    tail = fit_pareto_tail(np.sort(np.concatenate([body, excesses])))
    assert tail.shape == pytest.approx(shape, abs=0.05)
    assert tail.scale == pytest.approx(0.05, rel=0.05)
    expected = stats.genpareto.isf(1e-2, shape, scale=0.05)
    assert tail.similarity_at(1e-5) == pytest.approx(expected, rel=0.1)


def test_a_pareto_quantile_is_scipys() -> None:
    tail = ParetoTail(0.3, 1e-3, -0.2, 0.04)
    expected = 0.3 + stats.genpareto.isf(1e-5 / 1e-3, -0.2, scale=0.04)
    assert tail.similarity_at(1e-5) == pytest.approx(expected)


def test_a_handful_of_pairs_has_no_tail() -> None:
    with pytest.raises(ValueError, match="too few"):
        measure_tail(np.zeros(50))


def made_tail(population: str, start: float) -> Tail:
    points = tuple((rate, start + 0.05 * place) for place, rate in enumerate(RATES))
    return Tail(
        population=population,
        points=points,
        extrapolated_below=1e-5,
        people=9,
        pairs=36,
        evidence="made",
    )


def test_the_stricter_population_sets_the_default() -> None:
    overall, mild, harsh = made_tail("all", 0.0), made_tail("mild", 0.05), made_tail("harsh", 0.1)
    chosen = choose_thresholds(overall, [mild, harsh], 0.02, SETTINGS)
    assert worst_tail([mild, harsh], SETTINGS.identify_rate) is harsh
    assert chosen.identify.population == "harsh"
    assert chosen.identify.similarity == pytest.approx(0.1 + 6 * 0.05 + 0.02)
    assert chosen.verify.similarity == pytest.approx(0.1 + 4 * 0.05 + 0.02)
    alone = choose_thresholds(overall, [made_tail("easy", -0.2)], 0.0, SETTINGS)
    assert alone.identify.population == "all"


def test_places_of_pairs_and_the_people_of_a_pair_are_each_other_inverted() -> None:
    pairs = np.array([(a, b) for a in range(9) for b in range(a + 1, 9)])
    places = pair_positions(pairs, 9)
    first, second = pair_people(places, 9)
    assert np.array_equal(np.stack([first, second], axis=1), pairs)


def made_faces(people: int, seed: int) -> Matrix:
    """Return unit vectors of people who are alike to different degrees."""
    random = np.random.default_rng(seed)
    faces = random.normal(size=(people, 24)) + random.normal(size=24) * 0.5
    unit: Matrix = (faces / np.linalg.norm(faces, axis=1, keepdims=True)).astype(np.float32)
    return unit


def test_upper_bounds_hold_what_many_more_people_show_nearly_always() -> None:
    truth = np.sort(pair_similarities(made_faces(4000, 99)))
    held = total = 0
    for seed in range(20):
        similarities = pair_similarities(made_faces(150, seed))
        tail = measure_tail(similarities)
        uppers = upper_bounds(similarities, 150, tail)
        assert list(uppers) == sorted(uppers)
        for (rate, similarity), upper in zip(tail.points, uppers, strict=True):
            assert upper >= similarity - 1e-9
            if 1e-6 < rate < 2e-2:
                total += 1
                held += upper >= similarity_reached(truth, rate)
    assert held / total > 0.85


def test_upper_bounds_come_nearer_with_more_people() -> None:
    def width(people: int) -> float:
        similarities = pair_similarities(made_faces(people, 5))
        tail = measure_tail(similarities)
        uppers = upper_bounds(similarities, people, tail)
        return sum(u - p for u, (_, p) in zip(uppers, tail.points, strict=True))

    assert width(800) < 0.7 * width(100)
