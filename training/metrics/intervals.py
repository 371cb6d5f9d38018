"""95 % intervals: exact binomial, Student's t over folds, and bootstraps that resample people."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import stats

from app.domain import intervals
from app.domain.intervals import CONFIDENCE
from training.foundation.arrays import BoolArray, FloatArray, IntArray
from training.metrics.estimates import Estimate

REPLICATES = 1000
VERTEX_REPLICATES = 300
SEED = 20261122


def clopper_pearson(successes: int, trials: int) -> Estimate:
    """Return a rate of independent trials with its exact interval (Clopper and Pearson, 1934).

    Raises ``ValueError`` for no trial.
    """
    exact = intervals.clopper_pearson(successes, trials)
    return Estimate(value=exact.rate, low=exact.low, high=exact.high, trials=trials)


def mean_of_folds(values: FloatArray, trials: int) -> tuple[Estimate, float]:
    """Return the mean of fold results with its t interval, and its standard error."""
    mean, error = float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))
    reach = float(stats.t.ppf((1 + CONFIDENCE) / 2, len(values) - 1)) * error
    return Estimate(value=mean, low=mean - reach, high=min(1.0, mean + reach), trials=trials), error


def percentile_interval(value: float, replicates: FloatArray, trials: int) -> Estimate:
    """Return ``value`` with the percentile interval of its bootstrap replicates (Efron, 1979)."""
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = np.percentile(replicates, [tail, 100 - tail])
    return Estimate(
        value=value, low=min(float(low), value), high=max(float(high), value), trials=trials
    )


def people_weights(people: int, random: np.random.Generator) -> FloatArray:
    """Return how often each of ``people`` is drawn in one resample with replacement."""
    drawn = np.bincount(random.integers(0, people, people), minlength=people)
    return drawn.astype(np.float64)


def bootstrap_rate(events: BoolArray, identities: IntArray) -> Estimate:
    """Return the rate of ``events`` with an interval that resamples identities, not events.

    Both are ``(trials,)``: the trials of one person hang together, so that treating them as
    independent would make the interval too narrow.
    """
    resampled = bootstrap_mean(events.astype(np.float64), identities)
    return no_narrower_than_binomial(resampled, int(events.sum()))


def bootstrap_mean(values: FloatArray, identities: IntArray) -> Estimate:
    """Return the mean of ``values`` with an interval that resamples identities; both ``(trials,)``.

    For values that are no events; ``bootstrap_rate`` knows more about events.
    """
    people, number = np.unique(identities, return_inverse=True)
    trials = np.bincount(number).astype(np.float64)
    sums = np.bincount(number, weights=values)
    random = np.random.default_rng(SEED)
    weights = np.stack([people_weights(len(people), random) for _ in range(REPLICATES)])
    return percentile_interval(
        float(values.mean()), (weights @ sums) / (weights @ trials), len(values)
    )


def bootstrap_statistic(
    statistic: Callable[[FloatArray], float],
    first: IntArray,
    second: IntArray,
    replicates: int = VERTEX_REPLICATES,
) -> Estimate:
    """Return a statistic of weighted pairs with an interval that resamples their identities.

    ``first`` and ``second`` ``(pairs,)`` say who a pair shows; ``statistic`` takes a weight for
    each pair. A pair of two people weighs the product of how often they are drawn, a pair of one
    person as often as that one is (as ``vertex_bootstrap``). A resample for which the statistic is
    not a number, because it holds pairs of one kind only, is left out.
    """
    people, number = np.unique(np.concatenate([first, second]), return_inverse=True)
    one, other = number[: len(first)], number[len(first) :]
    random = np.random.default_rng(SEED)
    values = np.empty(replicates)
    for replicate in range(replicates):
        drawn = people_weights(len(people), random)
        values[replicate] = statistic(np.where(one == other, drawn[one], drawn[one] * drawn[other]))
    value = statistic(np.ones(len(first)))
    usable = values[np.isfinite(values)]
    return percentile_interval(value, usable if len(usable) else np.array([value]), len(first))


def vertex_bootstrap(
    matches: IntArray, people: int, replicates: int = VERTEX_REPLICATES
) -> Estimate:
    """Return the rate of matching pairs among ``people`` who all differ, resampling the people.

    ``matches`` is ``(K, 2)``: the pairs that match. A person who resembles many takes all those
    pairs along, which intervals for independent pairs ignore (Snijders and Borgatti,
    "Non-parametric standard errors and tests for network statistics", 1999; pairs of a person with
    its own copy are left out).
    """
    total = people * (people - 1) // 2
    random = np.random.default_rng(SEED)
    rates = np.empty(replicates)
    for replicate in range(replicates):
        weights = people_weights(people, random)
        drawn = (weights.sum() ** 2 - (weights**2).sum()) / 2
        hits = float((weights[matches[:, 0]] * weights[matches[:, 1]]).sum())
        rates[replicate] = hits / drawn
    resampled = percentile_interval(len(matches) / total, rates, total)
    return no_narrower_than_binomial(resampled, len(matches))


def no_narrower_than_binomial(resampled: Estimate, successes: int) -> Estimate:
    """Widen an interval to that of independent trials: resampling no events would give [0, 0]."""
    exact = clopper_pearson(successes, resampled.trials)
    return resampled.model_copy(
        update={"low": min(resampled.low, exact.low), "high": max(resampled.high, exact.high)}
    )
