"""Rates of events with exact binomial intervals, and what no event at all still allows."""

from __future__ import annotations

from dataclasses import dataclass

from scipy.special import betaincinv

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Rate:
    """How often something happened, with its 95 % interval (Clopper and Pearson, 1934).

    ``rule_of_three``: where nothing happened, the rate that is ruled out with 95 % confidence from
    one side, 3 / trials (Hanley and Lippman-Hand, JAMA 1983); else none.
    """

    errors: int
    trials: int
    rate: float
    low: float
    high: float
    rule_of_three: float | None


def clopper_pearson(errors: int, trials: int) -> Rate:
    """Return the rate of ``errors`` in independent ``trials`` with its exact interval.

    Raises ``ValueError`` for no trial, and for more errors than trials.
    """
    if not 0 <= errors <= trials or trials == 0:
        raise ValueError(f"{errors} of {trials} is no rate")
    low, high = interval_of_share(errors / trials, trials)
    three = min(1.0, 3 / trials) if errors == 0 else None
    return Rate(errors, trials, errors / trials, low, high, three)


def interval_of_share(share: float, trials: int) -> tuple[float, float]:
    """Return the exact 95 % interval of a share that ``trials`` show.

    Where their count of events is no whole number, as where people count and not their photos, the
    bounds lie between those of its neighbours. Raises ``ValueError`` for no trial, and outside 0
    to 1.
    """
    if not 0 <= share <= 1 or trials < 1:
        raise ValueError(f"{share} of {trials} is no rate")
    tail, events = (1 - CONFIDENCE) / 2, share * trials
    low = 0.0 if share == 0 else float(betaincinv(events, trials - events + 1, tail))
    high = 1.0 if share == 1 else float(betaincinv(events + 1, trials - events, 1 - tail))
    return min(low, share), max(high, share)  # the inverse is not exact beside 0 and 1
