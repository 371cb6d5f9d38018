"""Platt scaling: a line from similarity to the log-likelihood ratio, by weighted Newton steps."""

from __future__ import annotations

import numpy as np
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
    slope, intercept = _newton(values, targets, weights)
    if slope <= 0:
        raise CalibrationError("same people are no more similar than different ones")
    return slope, intercept


def _newton(values: FloatArray, targets: FloatArray, weights: FloatArray) -> tuple[float, float]:
    """Minimise the weighted cross-entropy of a line; steps are halved until they help."""
    design = np.stack([values, np.ones_like(values)], axis=1)
    line = np.zeros(2)
    loss = _cross_entropy(design @ line, targets, weights)
    for _ in range(STEPS):
        predicted = expit(design @ line)
        gradient = design.T @ (weights * (predicted - targets))
        curvature = (design.T * (weights * predicted * (1 - predicted))) @ design
        step = np.linalg.solve(curvature + 1e-12 * np.eye(2), gradient)
        size = 1.0
        while size > 1e-6:
            tried = line - size * step
            tried_loss = _cross_entropy(design @ tried, targets, weights)
            if tried_loss <= loss:
                break
            size /= 2
        else:
            break
        line, gained, loss = tried, loss - tried_loss, tried_loss
        if gained < TOLERANCE and np.abs(gradient).max() < TOLERANCE:
            break
    return float(line[0]), float(line[1])


def _cross_entropy(logits: FloatArray, targets: FloatArray, weights: FloatArray) -> float:
    return float((weights * (np.logaddexp(0, logits) - targets * logits)).sum())


def likelihood_ratio_cost(
    same: Similarities, different: Similarities, slope: float, intercept: float
) -> float:
    """Return Cllr in bits: 0 for a perfect score, 1 for one that says nothing."""
    same_values, same_shares = binned(same)
    other_values, other_shares = binned(different)
    missed = (same_shares * np.logaddexp(0, -(slope * same_values + intercept))).sum()
    false = (other_shares * np.logaddexp(0, slope * other_values + intercept)).sum()
    return float((missed + false) / (2 * np.log(2)))
