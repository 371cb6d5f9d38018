"""Platt scaling: a line from similarity to the log-likelihood ratio, by SciPy's Newton steps."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from training.foundation.arrays import FloatArray, Similarities
from training.foundation.errors import DataError

BINS = 20_000  # of [-1, 1]: a bin is 1e-4 wide, far finer than a score means anything
TOLERANCE = 1e-10
STEPS = 100


class CalibrationError(DataError):
    """The scores do not allow a calibration; the message says why."""


def binned(similarities: Similarities) -> tuple[FloatArray, FloatArray]:
    """Return the centres of the bins that hold similarities, and the share of each.

    Tens of millions of scores become at most 20,000 weighted ones.
    """
    counts, edges = np.histogram(similarities, BINS, (-1.0, 1.0))
    filled = np.nonzero(counts)[0]
    centres = (edges[filled] + edges[filled + 1]) / 2
    return centres, counts[filled] / counts.sum()


def fit_platt(same: Similarities, different: Similarities) -> tuple[float, float]:
    """Return slope and intercept of the natural log-likelihood ratio, same over different.

    Logistic regression in which either kind weighs one half, so that the prior odds are one and the
    logit is the likelihood ratio (Platt, 1999). Platt's softened targets for these counts keep the
    line finite where the kinds do not overlap. Raises ``CalibrationError`` where a kind is missing
    or similarity does not tell them apart.
    """
    if len(same) == 0 or len(different) == 0:
        raise CalibrationError("a calibration needs scores of same and of different people")
    (same_values, same_shares), (other_values, other_shares) = binned(same), binned(different)
    values = np.concatenate([same_values, other_values])
    weights = np.concatenate([same_shares, other_shares]) / 2
    targets = np.concatenate(
        [
            np.full(len(same_values), (len(same) + 1) / (len(same) + 2)),
            np.full(len(other_values), 1 / (len(different) + 2)),
        ]
    )
    slope, intercept = map(float, _best_line(values, targets, weights))
    if slope <= 0:
        raise CalibrationError("same people are no more similar than different ones")
    return slope, intercept


def _best_line(values: FloatArray, targets: FloatArray, weights: FloatArray) -> FloatArray:
    """Return slope and intercept that minimise the weighted cross-entropy; it has one minimum."""
    design = np.stack([values, np.ones_like(values)], axis=1)

    def cross_entropy(line: FloatArray) -> float:
        logits = design @ line
        return float((weights * (np.logaddexp(0, logits) - targets * logits)).sum())

    def gradient(line: FloatArray) -> FloatArray:
        slopes: FloatArray = design.T @ (weights * (expit(design @ line) - targets))
        return slopes

    def curvature(line: FloatArray) -> FloatArray:
        predicted = expit(design @ line)
        second: FloatArray = (design.T * (weights * predicted * (1 - predicted))) @ design
        return second

    found = minimize(
        cross_entropy,
        np.zeros(2),
        method="trust-exact",
        jac=gradient,
        hess=curvature,
        options={"gtol": TOLERANCE, "maxiter": STEPS},
    )
    line: FloatArray = found.x
    return line


def likelihood_ratio_cost(
    same: Similarities, different: Similarities, slope: float, intercept: float
) -> float:
    """Return Cllr in bits: 0 for a perfect score, 1 for one that says nothing."""
    same_values, same_shares = binned(same)
    other_values, other_shares = binned(different)
    missed = (same_shares * np.logaddexp(0, -(slope * same_values + intercept))).sum()
    false = (other_shares * np.logaddexp(0, slope * other_values + intercept)).sum()
    return float((missed + false) / (2 * np.log(2)))
