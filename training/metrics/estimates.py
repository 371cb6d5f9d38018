"""A measured value with its interval, and how it is written."""

from __future__ import annotations

from training.foundation.records import Record


class Estimate(Record):
    """A measured value with its 95 % interval and the number of trials (or pairs) behind it."""

    value: float
    low: float
    high: float
    trials: int


def estimate_text(estimate: Estimate, digits: int = 4) -> str:
    """Return ``value [low, high]``; very small rates in powers of ten."""
    parts = [_number(part, digits) for part in (estimate.value, estimate.low, estimate.high)]
    return f"{parts[0]} [{parts[1]}, {parts[2]}]"


def percent_text(estimate: Estimate, *, signed: bool = False) -> str:
    """Return ``value [low, high]`` in percent."""
    form = "+.1f" if signed else ".1f"
    value, low, high = (100 * one for one in (estimate.value, estimate.low, estimate.high))
    return f"{value:{form}} [{low:{form}}, {high:{form}}]"


def _number(value: float, digits: int) -> str:
    return f"{value:.1e}" if 0 < value < 10.0**-digits * 5 else f"{value:.{digits}f}"
