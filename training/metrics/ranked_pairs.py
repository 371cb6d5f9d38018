"""AUC and EER of weighted pairs: what a bootstrap that resamples people asks hundreds of times."""

from __future__ import annotations

import numpy as np

from training.foundation.arrays import BoolArray, FloatArray


class RankedPairs:
    """Pairs sorted once, so that AUC and EER of many weightings cost a sum each."""

    def __init__(self, similarities: FloatArray, same: BoolArray) -> None:
        """Sort the pairs; pairs of equal similarity form one step."""
        self._order = np.argsort(similarities, kind="stable")
        self._same = same[self._order]
        ordered = similarities[self._order]
        self._starts = np.nonzero(np.diff(ordered, prepend=-np.inf) > 0)[0]

    def _steps(self, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the weight of genuine and of other pairs at each similarity, ascending."""
        ordered = weights[self._order]
        genuine = np.add.reduceat(np.where(self._same, ordered, 0.0), self._starts)
        other = np.add.reduceat(np.where(self._same, 0.0, ordered), self._starts)
        return genuine, other

    def area_under_curve(self, weights: FloatArray) -> float:
        """Return ``verification.area_under_curve`` of weighted pairs; NaN where a kind is gone."""
        return area_of_steps(*self._steps(weights))

    def equal_error_rate(self, weights: FloatArray) -> float:
        """Return ``verification.equal_error_rate`` of weighted pairs; NaN where a kind is gone."""
        return equal_error_of_steps(*self._steps(weights))


def area_of_steps(genuine: FloatArray, other: FloatArray) -> float:
    """Return the AUC of the weights of either kind at ascending similarities, ``(S,)`` each.

    NaN where a kind weighs nothing.
    """
    total = genuine.sum() * other.sum()
    if total == 0:
        return float("nan")
    wins = genuine * (np.cumsum(other) - other / 2)
    return float(wins.sum() / total)


def equal_error_of_steps(genuine: FloatArray, other: FloatArray) -> float:
    """Return the EER of the weights of either kind at ascending similarities, ``(S,)`` each.

    NaN where a kind weighs nothing.
    """
    if genuine.sum() == 0 or other.sum() == 0:
        return float("nan")
    fnmr = (np.cumsum(genuine) - genuine) / genuine.sum()
    fmr = 1 - (np.cumsum(other) - other) / other.sum()
    closest = int(np.abs(fmr - fnmr).argmin())
    return float((fmr[closest] + fnmr[closest]) / 2)
