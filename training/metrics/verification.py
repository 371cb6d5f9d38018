"""1:1 figures from similarities: TAR at FAR, AUC, EER and the ten folds of LFW View 2.

A pair is accepted where its similarity is at or above the threshold.
"""

from __future__ import annotations

import math
from bisect import bisect_left

import numpy as np

from training.foundation.arrays import BoolArray, FloatArray, IntArray, Similarities
from training.metrics.intervals import (
    bootstrap_rate,
    bootstrap_statistic,
    clopper_pearson,
    mean_of_folds,
)
from training.metrics.ranked_pairs import RankedPairs
from training.metrics.results import AllPairs, RateAtFar, Verification

LFW_RATES = (1e-2, 1e-3)


def threshold_at_far(different: Similarities, far: float) -> float:
    """Return the lowest threshold that accepts no more than a fraction ``far`` of ``different``.

    Raises ``ValueError`` for no similarity or a rate outside ``[0, 1)``.
    """
    if len(different) == 0 or not 0 <= far < 1:
        raise ValueError("a threshold needs impostors and a rate in [0, 1)")
    allowed = math.floor(far * len(different) + 1e-9)
    place = len(different) - 1 - allowed
    refused = np.partition(different, place)[place]
    return float(np.nextafter(refused, refused.dtype.type(np.inf)))


def area_under_curve(same: Similarities, different: Similarities) -> float:
    """Return the probability that a genuine pair is the more similar (ties count half).

    The Mann-Whitney statistic (Hanley and McNeil, 1982).
    """
    impostors = np.sort(different)
    below = np.searchsorted(impostors, same, side="left").sum(dtype=np.float64)
    not_above = np.searchsorted(impostors, same, side="right").sum(dtype=np.float64)
    return float((below + not_above) / 2 / (len(same) * len(different)))


def equal_error_rate(same: Similarities, different: Similarities) -> float:
    """Return the mean of FMR and FNMR at the threshold where they are closest.

    FNMR - FMR rises with the threshold, so that only the similarities on either side of its zero
    are looked at.
    """
    genuine, impostors = np.sort(same), np.sort(different)

    def rates(threshold: float) -> tuple[float, float]:
        fnmr = np.searchsorted(genuine, threshold, side="left") / len(genuine)
        return 1 - np.searchsorted(impostors, threshold, side="left") / len(impostors), fnmr

    def excess(threshold: float) -> float:
        fmr, fnmr = rates(threshold)
        return float(fnmr - fmr)

    candidates: set[float] = set()
    for values in (genuine, impostors):
        place = bisect_left(values, 0.0, key=excess)
        candidates.update(values[max(0, place - 1) : place + 1].tolist())
    fmr, fnmr = rates(min(sorted(candidates), key=lambda threshold: abs(excess(threshold))))
    return float((fmr + fnmr) / 2)


def best_threshold(similarities: FloatArray, same: BoolArray) -> float:
    """Return the similarity that separates the pairs with fewest errors, the lowest of equals."""
    thresholds = np.unique(similarities)
    genuine, impostors = np.sort(similarities[same]), np.sort(similarities[~same])
    accepted = len(genuine) - np.searchsorted(genuine, thresholds, side="left")
    refused = np.searchsorted(impostors, thresholds, side="left")
    return float(thresholds[int((accepted + refused).argmax())])


def fold_accuracies(
    similarities: FloatArray, same: BoolArray, folds: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Return each fold's accuracy at the threshold chosen on the others, and those thresholds."""
    accuracies, thresholds = [], []
    for fold in np.unique(folds):
        held_out = folds == fold
        threshold = best_threshold(similarities[~held_out], same[~held_out])
        accuracies.append(((similarities[held_out] >= threshold) == same[held_out]).mean())
        thresholds.append(threshold)
    return np.array(accuracies), np.array(thresholds)


def verify_pairs(
    similarities: FloatArray, same: BoolArray, folds: IntArray, people: IntArray
) -> Verification:
    """Return the LFW View 2 figures (Huang et al., 2007) of a list of pairs, each ``(N,)``.

    ``people`` ``(N, 2)`` says who a pair shows: the intervals of AUC and EER resample them.
    """
    ranks, shown = RankedPairs(similarities, same), (people[:, 0], people[:, 1])
    accuracies, thresholds = fold_accuracies(similarities, same, folds)
    accuracy, error = mean_of_folds(accuracies, len(similarities))
    genuine, impostors = similarities[same], similarities[~same]
    rates = []
    for far in LFW_RATES:
        threshold = threshold_at_far(impostors, far)
        accepted = int((genuine >= threshold).sum())
        tar = clopper_pearson(accepted, len(genuine))
        rates.append(RateAtFar(far=far, threshold=threshold, tar=tar))
    return Verification(
        accuracy=accuracy,
        standard_error=error,
        fold_thresholds=tuple(float(value) for value in thresholds),
        tar_at_far=tuple(rates),
        auc=bootstrap_statistic(ranks.area_under_curve, *shown),
        eer=bootstrap_statistic(ranks.equal_error_rate, *shown),
        same_pairs=len(genuine),
        different_pairs=len(impostors),
    )


def verify_all_pairs(
    same: Similarities, owners: IntArray, different: Similarities, rates: tuple[float, ...]
) -> AllPairs:
    """Return TAR at each FAR of ``rates`` over all pairs; intervals resample the genuine people."""
    points = []
    for far in rates:
        threshold = threshold_at_far(different, far)
        tar = bootstrap_rate(same >= threshold, owners)
        points.append(RateAtFar(far=far, threshold=threshold, tar=tar))
    return AllPairs(
        people=len(np.unique(owners)),
        same_pairs=len(same),
        different_pairs=len(different),
        tar_at_far=tuple(points),
    )
