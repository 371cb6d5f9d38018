"""Calibration: of pairs called 80 % likely the same, 80 in 100 should turn out to be.

A Platt line is fitted on validation pairs and evaluated on test pairs. Half of the pairs are
genuine, so that the prior odds are one and the logit is the line itself.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import expit

from training.foundation.arrays import BoolArray, FloatArray, IntArray
from training.foundation.records import Record
from training.metrics.estimates import Estimate
from training.metrics.intervals import bootstrap_statistic
from training.metrics.platt import fit_platt, likelihood_ratio_cost
from training.metrics.scored_pairs import ScoredPairs

BINS = 15
MIN_PROBABILITY = 1e-12  # a logarithm of nothing is no loss that can be averaged


class ReliabilityBin(Record):
    """Pairs whose probability lies in ``[low, high]``: the mean of it, and the share of genuine."""

    low: float
    high: float
    pairs: int
    probability: float
    same: float


class Reliability(Record):
    """How far probabilities can be taken at their word, on pairs that they were not fitted on.

    ``ece``: expected calibration error over 15 equally wide bins (Naeini et al., 2015; Guo et al.,
    2017), ``ece_equal_mass``: over 15 bins of as many pairs each (Nixon et al., 2019); ``brier``:
    Brier, 1950; ``log_loss`` in nats; ``cllr`` in bits, 1 for a score that says nothing.
    """

    slope: float
    intercept: float
    pairs: int
    ece: Estimate
    ece_equal_mass: Estimate
    brier: Estimate
    log_loss: Estimate
    cllr: float
    bins: tuple[ReliabilityBin, ...]


def measure_reliability(fitted_on: ScoredPairs, pairs: ScoredPairs) -> Reliability:
    """Fit a line on one set of pairs, judge its probabilities on another.

    Raises ``CalibrationError`` where similarity does not tell same from different.
    """
    slope, intercept = fit_platt(fitted_on.genuine, fitted_on.impostor)
    probabilities = same_probability(pairs.similarities, slope, intercept)
    wide, full = equal_width_bins(probabilities), equal_mass_bins(probabilities)

    def by_identity(statistic: Callable[[FloatArray], float]) -> Estimate:
        return bootstrap_statistic(statistic, pairs.first, pairs.second)

    same = pairs.same
    squared, logarithmic = squared_errors(probabilities, same), log_losses(probabilities, same)
    return Reliability(
        slope=slope,
        intercept=intercept,
        pairs=len(same),
        ece=by_identity(lambda w: calibration_error(probabilities, same, wide, w)),
        ece_equal_mass=by_identity(lambda w: calibration_error(probabilities, same, full, w)),
        brier=by_identity(lambda w: _mean(squared, w)),
        log_loss=by_identity(lambda w: _mean(logarithmic, w)),
        cllr=likelihood_ratio_cost(pairs.genuine, pairs.impostor, slope, intercept),
        bins=reliability_bins(probabilities, same),
    )


def same_probability(similarities: FloatArray, slope: float, intercept: float) -> FloatArray:
    """Return the probability that pairs are of one identity where half of all are, ``(K,)``."""
    probabilities: FloatArray = expit(slope * similarities + intercept)
    return probabilities


def equal_width_bins(probabilities: FloatArray, bins: int = BINS) -> IntArray:
    """Return which of ``bins`` parts of [0, 1] each probability lies in; 1 is in the last."""
    return np.minimum((probabilities * bins).astype(np.int64), bins - 1)


def equal_mass_bins(probabilities: FloatArray, bins: int = BINS) -> IntArray:
    """Return the bin of each probability where every bin holds as many, by rank."""
    order = np.argsort(probabilities, kind="stable")
    numbers = np.empty(len(order), np.int64)
    for number, members in enumerate(np.array_split(order, bins)):
        numbers[members] = number
    return numbers


def calibration_error(
    probabilities: FloatArray, same: BoolArray, bins: IntArray, weights: FloatArray
) -> float:
    """Return the mean gap between probability and share of genuine pairs, weighted by bin.

    NaN where nothing weighs anything.
    """
    total = weights.sum()
    if total == 0:
        return float("nan")
    gaps = np.bincount(bins, weights=weights * (probabilities - same))
    return float(np.abs(gaps).sum() / total)


def squared_errors(probabilities: FloatArray, same: BoolArray) -> FloatArray:
    """Return each pair's Brier score, ``(K,)``."""
    errors: FloatArray = (probabilities - same) ** 2
    return errors


def log_losses(probabilities: FloatArray, same: BoolArray) -> FloatArray:
    """Return each pair's negative log-likelihood in nats, ``(K,)``."""
    of_truth = np.where(same, probabilities, 1 - probabilities)
    losses: FloatArray = -np.log(np.maximum(of_truth, MIN_PROBABILITY))
    return losses


def reliability_bins(probabilities: FloatArray, same: BoolArray) -> tuple[ReliabilityBin, ...]:
    """Return the equally wide bins that hold pairs, lowest first."""
    numbers = equal_width_bins(probabilities)
    found = []
    for number in np.unique(numbers):
        inside = numbers == number
        found.append(
            ReliabilityBin(
                low=float(number / BINS),
                high=float((number + 1) / BINS),
                pairs=int(inside.sum()),
                probability=float(probabilities[inside].mean()),
                same=float(same[inside].mean()),
            )
        )
    return tuple(found)


def _mean(values: FloatArray, weights: FloatArray) -> float:
    total = float(weights.sum())
    return float((values * weights).sum() / total) if total else float("nan")
