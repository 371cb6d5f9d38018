"""How sure a tail of false matches is: upper confidence bounds, by resampling people."""

from __future__ import annotations

import numpy as np

from app.domain.tail_fit import (
    EXCESS_RATE,
    HIGHEST,
    MIN_EXCESSES,
    MeasuredTail,
    ParetoTail,
    Similarities,
)
from training.foundation.arrays import FloatArray, IntArray

ROUNDS = 200
CONFIDENCE = 0.95
TOP_RATE = 1.2e-2  # bounds are sought below this rate; above it the points are sure enough
#: Of so few pairs even the common similarities get a bound.
BOUNDED_PAIRS = 50_000
SEED = 20261122


def upper_bounds(
    similarities: Similarities, people: int, tail: MeasuredTail, top_rate: float = TOP_RATE
) -> tuple[float, ...]:
    """Return for each point of ``tail`` a one-sided 95 % bound of its similarity, ascending.

    ``similarities`` are of every pair of ``people``, in the order of ``pair_similarities``. The
    pairs of one person are not independent, so that people are drawn anew, with repeats, not pairs;
    in each draw the tail is read and fitted again (Efron 1979; the percentile of 200 draws). Rates
    above ``top_rate`` are taken for sure.
    """
    count = min(len(similarities), max(MIN_EXCESSES + 1, round(len(similarities) * top_rate)))
    lowest = np.partition(similarities, len(similarities) - count)[len(similarities) - count]
    rows = np.nonzero(similarities >= lowest)[0]
    rows = rows[np.argsort(-similarities[rows], kind="stable")]
    descending = similarities[rows].astype(np.float64)
    first, second = pair_people(rows, people)
    generator = np.random.default_rng(SEED)
    rates = [rate for rate, _ in tail.points]
    drawn = np.empty((ROUNDS, len(rates)))
    for round_number in range(ROUNDS):
        times = np.bincount(generator.integers(0, people, people), minlength=people)
        times = times.astype(np.float64)
        total = (times.sum() ** 2 - np.square(times).sum()) / 2
        weights = times[first] * times[second] / total
        drawn[round_number] = _tail_of(descending, weights, rates, tail.extrapolated_below)
    bounds = np.nanquantile(drawn, CONFIDENCE, axis=0)
    uppers, floor = [], -1.0
    for (rate, similarity), bound in zip(tail.points, bounds, strict=True):
        sure = similarity if rate > top_rate else max(similarity, float(bound))
        floor = max(floor, min(HIGHEST, sure))
        uppers.append(floor)
    return tuple(uppers)


def pair_people(positions: IntArray, people: int) -> tuple[IntArray, IntArray]:
    """Return who stands at these positions of ``pair_similarities``: ``first < second``."""
    rows = np.arange(people, dtype=np.int64)
    starts = rows * people - rows * (rows + 1) // 2
    first = np.searchsorted(starts, positions, side="right") - 1
    return first, positions - starts[first] + first + 1


def _tail_of(
    descending: FloatArray, weights: FloatArray, rates: list[float], extrapolated_below: float
) -> FloatArray:
    """Return the similarity reached at each rate where a pair counts ``weights`` of all pairs."""
    reached = np.cumsum(weights)
    pareto = _weighted_pareto(descending, weights, reached)
    values = np.empty(len(rates))
    for place, rate in enumerate(rates):
        if rate >= extrapolated_below or rate >= pareto.rate:
            position = min(len(descending) - 1, int(np.searchsorted(reached, rate)))
            values[place] = descending[position]
        else:
            values[place] = pareto.similarity_at(rate)
    return values


def _weighted_pareto(
    descending: FloatArray, weights: FloatArray, reached: FloatArray
) -> ParetoTail:
    """Fit the excesses over the quantile at 1e-3 by weighted L-moments, as ``fit_pareto_tail``."""
    count = int(np.searchsorted(reached, EXCESS_RATE)) + 1
    count = min(len(descending) - 1, max(MIN_EXCESSES, count))
    start = descending[count]
    excesses, share = descending[:count] - start, weights[:count]
    rate = float(share.sum())
    if rate <= 0:
        return ParetoTail(float(start), EXCESS_RATE, 0.0, 1e-9)
    above = (np.cumsum(share) - 0.5 * share) / rate  # the share of excesses above each
    mean = float((excesses * share).sum()) / rate
    weighted = float((excesses * share * above).sum()) / rate
    if mean <= 0 or mean <= 2 * weighted:
        return ParetoTail(float(start), rate, 0.0, max(mean, 1e-9))
    shape = 2 - mean / (mean - 2 * weighted)
    return ParetoTail(float(start), rate, shape, 2 * mean * weighted / (mean - 2 * weighted))
