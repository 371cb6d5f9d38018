"""The tail of false matches: which similarity different people reach how rarely.

What the pairs show is read off them; rarer rates are extrapolated from a generalised Pareto
distribution of the excesses over a high quantile (Coles, "An Introduction to Statistical Modeling
of Extreme Values", 2001, chapter 4).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Similarities = npt.NDArray[np.float32] | npt.NDArray[np.float64]

#: Half decades from 1e-1 to 1e-7.
RATES = tuple(float(f"{10.0 ** (-k / 2):.3g}") for k in range(2, 15))
MIN_MATCHES = 10  # a rate that fewer pairs show is not measured
NOISE_FACTOR = 10
EXCESS_RATE = 1e-3
MIN_EXCESSES = 50
HIGHEST = 0.9999


@dataclass(frozen=True)
class ParetoTail:
    """P(similarity > x) = rate * (1 + shape * (x - start) / scale) ** (-1 / shape), x > start."""

    start: float
    rate: float
    shape: float
    scale: float

    def similarity_at(self, rate: float) -> float:
        """Return the similarity reached at ``rate``, below the tail's own rate."""
        ratio = self.rate / rate
        if abs(self.shape) < 1e-9:
            return float(self.start + self.scale * np.log(ratio))
        return float(self.start + self.scale * (ratio**self.shape - 1) / self.shape)


@dataclass(frozen=True)
class MeasuredTail:
    """Points ``(rate, similarity)`` and the rate below which they are extrapolated."""

    points: tuple[tuple[float, float], ...]
    extrapolated_below: float
    pairs: int


def similarity_reached(ascending: Similarities, rate: float) -> float:
    """Return the similarity that a fraction ``rate`` of sorted similarities reaches or exceeds."""
    position = min(len(ascending) - 1, max(0, round(len(ascending) * (1 - rate))))
    return float(ascending[position])


def fit_pareto_tail(ascending: Similarities) -> ParetoTail:
    """Return the tail fitted to the excesses over the quantile at 1e-3, by L-moments.

    (Hosking and Wallis, "Parameter and quantile estimation for the generalized Pareto
    distribution", 1987: a closed form that a handful of excesses does not upset.) Where 1e-3 leaves
    fewer than 50 excesses, the 50 highest are used. Raises ``ValueError`` below 51 similarities.
    """
    if len(ascending) <= MIN_EXCESSES:
        raise ValueError("too few pairs for the tail of false matches")
    count = max(MIN_EXCESSES, round(len(ascending) * EXCESS_RATE))
    start = float(ascending[-count - 1])
    excesses = ascending[-count:].astype(np.float64) - start
    mean = float(excesses.mean())
    # The first moment weighted by how many excesses lie above each: alpha_1 of the paper.
    weighted = float((excesses * (count - np.arange(1, count + 1))).sum()) / (count * (count - 1))
    if mean <= 0 or mean <= 2 * weighted:
        return ParetoTail(start, count / len(ascending), 0.0, max(mean, 1e-9))
    shape = 2 - mean / (mean - 2 * weighted)
    scale = 2 * mean * weighted / (mean - 2 * weighted)
    return ParetoTail(start, count / len(ascending), shape, scale)


def measure_tail(similarities: Similarities, doubtful_pairs: int = 0) -> MeasuredTail:
    """Return the similarities that different people reach at ``RATES``, rarer ones extrapolated.

    A rate counts as measured where at least ten pairs show it, and ten times as many as the
    ``doubtful_pairs`` that were found to be one person twice and left out, since about as many may
    have stayed unfound. Sorts a copy; raises ``ValueError`` for too few similarities.
    """
    ascending = similarities.copy()
    ascending.sort()
    pareto = fit_pareto_tail(ascending)
    min_rate = max(MIN_MATCHES, NOISE_FACTOR * doubtful_pairs) / len(ascending)
    points: list[tuple[float, float]] = []
    for rate in RATES:
        observed = rate >= min_rate or rate >= pareto.rate
        reached = similarity_reached(ascending, rate) if observed else pareto.similarity_at(rate)
        floor = points[-1][1] if points else -1.0
        points.append((rate, min(HIGHEST, max(reached, floor))))
    return MeasuredTail(tuple(points), min(min_rate, 1.0), len(ascending))
