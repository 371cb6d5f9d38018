"""Same or different: figures of decisions at a threshold, and the curves ROC and DET.

The threshold comes from other pairs (``verification.best_threshold`` of validation identities); a
pair is accepted at or above it. The positive answer is "same".
"""

from __future__ import annotations

import numpy as np
from pydantic import ConfigDict

from training.foundation.arrays import BoolArray, FloatArray, Similarities
from training.foundation.records import Record
from training.metrics.estimates import Estimate
from training.metrics.intervals import (
    bootstrap_rate,
    bootstrap_statistic,
    no_narrower_than_binomial,
)
from training.metrics.open_set import OpenSetScores
from training.metrics.scored_pairs import ScoredPairs
from training.metrics.verification import threshold_at_far

CURVE_POINTS = 120


class Decisions(Record):
    """Decisions on pairs, half of them of one identity, at a threshold chosen on other pairs.

    AUC and EER, which depend on no threshold and no share of genuine pairs, are of all pairs
    (``AllPairs``); evaluations of before 0.8 held others here, which are passed over.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    threshold: float
    same_pairs: int
    different_pairs: int
    accuracy: Estimate
    precision: Estimate
    recall: Estimate
    f1: Estimate


class Curve(Record):
    """Points of a curve, ``x`` and ``y`` as many; ``floor_x`` and ``floor_y``: one error in all.

    What lies below the floor was too rare to be seen.
    """

    x: tuple[float, ...]
    y: tuple[float, ...]
    floor_x: float
    floor_y: float


class KnownOrUnknown(Record):
    """Identification at a threshold for FPIR ``target`` on validation identities.

    ``fpir``: outsiders who are taken for somebody; ``fnir``: probes whose person is not on top or
    is below the threshold.
    """

    target: float
    threshold: float
    fpir: Estimate
    fnir: Estimate


def measure_decisions(pairs: ScoredPairs, threshold: float) -> Decisions:
    """Return the figures of ``pairs`` at ``threshold``, with intervals by identity.

    Accuracy, precision and recall are rates of trials, whose intervals are never narrower than
    those of independent trials; F1 is no such rate.
    """
    accepted, same = pairs.similarities >= threshold, pairs.same

    trials = (len(same), int(accepted.sum()), int(same.sum()))
    right = (int((accepted == same).sum()), *([int((accepted & same).sum())] * 2))

    def of_table(place: int) -> Estimate:
        found = bootstrap_statistic(
            lambda weights: decision_figures(accepted, same, weights)[place],
            pairs.first,
            pairs.second,
        )
        if place >= len(trials) or trials[place] == 0:
            return found
        found = found.model_copy(update={"trials": trials[place]})
        return no_narrower_than_binomial(found, right[place])

    return Decisions(
        threshold=threshold,
        same_pairs=int(same.sum()),
        different_pairs=int((~same).sum()),
        accuracy=of_table(0),
        precision=of_table(1),
        recall=of_table(2),
        f1=of_table(3),
    )


def decision_figures(
    accepted: BoolArray, same: BoolArray, weights: FloatArray
) -> tuple[float, float, float, float]:
    """Return accuracy, precision, recall and F1 of weighted pairs, ``(K,)`` each.

    A ratio of nothing, as the precision where nothing is accepted, is 0.
    """
    true_accepted = float(weights[accepted & same].sum())
    false_accepted = float(weights[accepted & ~same].sum())
    false_refused = float(weights[~accepted & same].sum())
    total = float(weights.sum())
    accuracy = _ratio(total - false_accepted - false_refused, total)
    precision = _ratio(true_accepted, true_accepted + false_accepted)
    recall = _ratio(true_accepted, true_accepted + false_refused)
    f1 = _ratio(2 * true_accepted, 2 * true_accepted + false_accepted + false_refused)
    return accuracy, precision, recall, f1


def curve_rates(trials: int) -> FloatArray:
    """Return rates ``(R,)``, evenly spread over powers of ten from one in ``trials`` up to 1."""
    rates: FloatArray = np.unique(np.geomspace(1 / trials, 1.0, CURVE_POINTS))
    return rates


def roc_curve(same: Similarities, different: Similarities) -> Curve:
    """Return the ROC: ``x`` is FAR on a logarithmic grid, ``y`` TAR, both of all pairs given."""
    genuine, impostors = same.copy(), different.copy()
    genuine.sort()
    impostors.sort()
    rates = curve_rates(len(impostors))
    thresholds = np.array([_sorted_threshold(impostors, rate) for rate in rates])
    accepted = len(genuine) - np.searchsorted(genuine, thresholds, side="left")
    return Curve(
        x=tuple(rates.tolist()),
        y=tuple((accepted / len(genuine)).tolist()),
        floor_x=1 / len(impostors),
        floor_y=1 / len(genuine),
    )


def det_curve(seen: OpenSetScores) -> Curve:
    """Return the DET curve of identification: ``x`` is FPIR on a logarithmic grid, ``y`` FNIR."""
    rates = curve_rates(len(seen.peaks))
    peaks = np.sort(seen.peaks)
    missed = [float(seen.missed(_sorted_threshold(peaks, rate)).mean()) for rate in rates]
    return Curve(
        x=tuple(rates.tolist()),
        y=tuple(missed),
        floor_x=1 / len(seen.peaks),
        floor_y=1 / len(seen.own),
    )


def measure_at_threshold(
    chosen_on: OpenSetScores, seen: OpenSetScores, target: float
) -> KnownOrUnknown:
    """Return what the threshold for FPIR ``target`` on other identities does to these.

    Intervals resample the outsiders and the people enrolled, as the rate asks.
    """
    threshold = threshold_at_far(chosen_on.peaks, target)
    return KnownOrUnknown(
        target=target,
        threshold=threshold,
        fpir=bootstrap_rate(seen.peaks >= threshold, seen.strangers),
        fnir=bootstrap_rate(seen.missed(threshold), seen.owners),
    )


def _sorted_threshold(ascending: Similarities, rate: float) -> float:
    """Return ``threshold_at_far`` of sorted similarities; at rate 1 everybody is accepted."""
    allowed = int(np.floor(rate * len(ascending) + 1e-9))
    if allowed >= len(ascending):
        return float(ascending[0])
    refused = ascending[len(ascending) - 1 - allowed]
    return float(np.nextafter(refused, refused.dtype.type(np.inf)))


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
