"""Where the marks of an audit's two charts stand, in pixels; ``charts.svg.j2`` draws them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from app.domain.audit.result import AuditRate, AuditThresholds, SimilarityHistogram

WIDTH, HEIGHT = 760, 260
LEFT, RIGHT, TOP, BOTTOM = 60, WIDTH - 20, 24, HEIGHT - 40
GENUINE, IMPOSTOR = "#1b7f5c", "#b3402e"
BAR_LEFT, BAR_STEP = 150, 34


@dataclass(frozen=True)
class Tick:
    """A labelled place of an axis."""

    x: float
    label: str


@dataclass(frozen=True)
class Outline:
    """A histogram's outline from the axis up and back to it."""

    points: tuple[tuple[float, float], ...]
    colour: str


@dataclass(frozen=True)
class ThresholdLine:
    """A threshold, with its name beside its upper end."""

    x: float
    label: str
    label_x: float
    anchor: Literal["start", "end"]


@dataclass(frozen=True)
class SimilarityChart:
    """How similarities are spread, and where the thresholds lie."""

    ticks: tuple[Tick, ...]
    outlines: tuple[Outline, ...]
    thresholds: tuple[ThresholdLine, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = RIGHT
    top: int = TOP
    base: int = BOTTOM


@dataclass(frozen=True)
class RateBar:
    """The interval of a rate, from ``low_x``; ``rate_x`` is None where no error was seen."""

    name: str
    y: int
    low_x: float
    width: float
    rate_x: float | None
    colour: str


@dataclass(frozen=True)
class RateChart:
    """Measured rates with their intervals on a logarithmic axis."""

    decades: tuple[Tick, ...]
    bars: tuple[RateBar, ...]
    height: int
    width: int = WIDTH
    left: int = BAR_LEFT


def similarity_chart(
    histogram: SimilarityHistogram, thresholds: AuditThresholds
) -> SimilarityChart:
    """Return how similarities are spread, each kind as a share of its highest bin.

    The thresholds drawn are those for the highest number of photos.
    """
    identify, verify = _similarity_x(thresholds.identify), _similarity_x(thresholds.verify)
    return SimilarityChart(
        ticks=tuple(Tick(_similarity_x(n / 4), f"{n / 4:.2f}") for n in range(-4, 5)),
        outlines=(
            Outline(_outline(histogram.impostor), IMPOSTOR),
            Outline(_outline(histogram.genuine), GENUINE),
        ),
        thresholds=(
            ThresholdLine(identify, f"1:N {thresholds.identify:.3f}", identify + 4, "start"),
            ThresholdLine(verify, f"1:1 {thresholds.verify:.3f}", verify - 4, "end"),
        ),
    )


def rate_chart(rates: Sequence[AuditRate]) -> RateChart:
    """Return each measured rate as a mark with its 95 % interval, on a logarithmic axis."""
    measured = [(rate.name, rate.measured) for rate in rates if rate.measured is not None]
    lowest = min((one.high for _, one in measured), default=0.1)
    decades = max(1, math.ceil(-math.log10(max(lowest, 1e-12))) + 1)

    def x(rate: float) -> float:
        share = (math.log10(max(rate, 10.0**-decades)) + decades) / decades
        return BAR_LEFT + share * (RIGHT - BAR_LEFT)

    return RateChart(
        decades=tuple(
            Tick(x(10.0**-decade), f"1e-{decade}" if decade else "100 %")
            for decade in range(decades + 1)
        ),
        bars=tuple(
            RateBar(
                name=name,
                y=26 + BAR_STEP * number,
                low_x=x(one.low),
                width=max(2.0, x(one.high) - x(one.low)),
                rate_x=x(one.rate) if one.errors else None,
                colour=GENUINE if name.startswith("fnmr") else IMPOSTOR,
            )
            for number, (name, one) in enumerate(measured)
        ),
        height=BAR_STEP * len(measured) + 50,
    )


def _similarity_x(similarity: float) -> float:
    return LEFT + (similarity + 1.0) / 2.0 * (RIGHT - LEFT)


def _outline(counts: Sequence[int]) -> tuple[tuple[float, float], ...]:
    highest = max(*counts, 1)
    tops = [BOTTOM - (BOTTOM - TOP) * count / highest for count in counts]
    steps = [
        (_similarity_x(2 * edge / len(counts) - 1), top)
        for number, top in enumerate(tops)
        for edge in (number, number + 1)
    ]
    return ((LEFT, BOTTOM), *steps, (RIGHT, BOTTOM))
