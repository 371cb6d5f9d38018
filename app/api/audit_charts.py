"""The charts of an audit's page, as SVG that stands in the page itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from app.domain.audit.result import AuditRate, AuditThresholds, SimilarityHistogram

WIDTH, HEIGHT = 760, 260
LEFT, RIGHT, TOP, BOTTOM = 60, 20, 24, 40
GENUINE, IMPOSTOR, LINE = "#1b7f5c", "#b3402e", "#333"
BAR_LEFT, BAR_STEP = 150, 34


def similarity_chart(histogram: SimilarityHistogram, thresholds: AuditThresholds) -> str:
    """Return how similarities are spread, each kind as a share of its highest bin.

    The thresholds drawn are those of whoever has the most photos.
    """
    parts = [_axis_of_similarity()]
    for counts, colour in ((histogram.impostor, IMPOSTOR), (histogram.genuine, GENUINE)):
        parts.append(_steps(counts, colour))
    for name, at, anchor in (
        ("1:N", thresholds.identify, "start"),
        ("1:1", thresholds.verify, "end"),
    ):
        x = _similarity_x(at)
        shift = 4 if anchor == "start" else -4
        parts.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" stroke="{LINE}" '
            'stroke-dasharray="4 3"/>'
            f'<text x="{x + shift:.1f}" y="{TOP - 6}" text-anchor="{anchor}">{name} {at:.3f}</text>'
        )
    title = "Similarities of photos to their own person and to others, with the thresholds"
    return _svg(title, HEIGHT, parts)


def rate_chart(rates: Sequence[AuditRate]) -> str:
    """Return each measured rate as a mark with its 95 % interval, on a logarithmic axis."""
    measured = [(rate.name, rate.measured) for rate in rates if rate.measured is not None]
    least = min((one.high for _, one in measured), default=0.1)
    decades = max(1, math.ceil(-math.log10(max(least, 1e-12))) + 1)
    right = WIDTH - RIGHT
    height = BAR_STEP * len(measured) + 50

    def x(rate: float) -> float:
        share = (math.log10(max(rate, 10.0**-decades)) + decades) / decades
        return BAR_LEFT + share * (right - BAR_LEFT)

    parts = []
    for decade in range(decades + 1):
        at = x(10.0**-decade)
        label = "100 %" if decade == 0 else f"1e-{decade}"
        parts.append(
            f'<line x1="{at:.1f}" x2="{at:.1f}" y1="10" y2="{height - 30}" stroke="#ddd"/>'
            f'<text x="{at:.1f}" y="{height - 12}" text-anchor="middle">{label}</text>'
        )
    for number, (name, one) in enumerate(measured):
        y = 26 + BAR_STEP * number
        colour = GENUINE if name.startswith("fnmr") else IMPOSTOR
        parts.append(
            f'<text x="{BAR_LEFT - 10}" y="{y + 4}" text-anchor="end">{escape(name)}</text>'
            f'<rect x="{x(one.low):.1f}" y="{y - 6}" height="12" rx="3" fill="{colour}" '
            f'width="{max(2.0, x(one.high) - x(one.low)):.1f}" fill-opacity="0.35"/>'
        )
        if one.errors:
            parts.append(f'<circle cx="{x(one.rate):.1f}" cy="{y}" r="5" fill="{colour}"/>')
    return _svg("Error rates with 95 % intervals; no dot: no error was seen", height, parts)


def _svg(title: str, height: int, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" xmlns="http://www.w3.org/2000/svg">'
        f"<title>{escape(title)}</title>{''.join(parts)}</svg>"
    )


def _similarity_x(similarity: float) -> float:
    return LEFT + (similarity + 1.0) / 2.0 * (WIDTH - LEFT - RIGHT)


def _axis_of_similarity() -> str:
    base = HEIGHT - BOTTOM
    ticks = "".join(
        f'<text x="{_similarity_x(tick / 4):.1f}" y="{base + 18}" text-anchor="middle">'
        f"{tick / 4:.2f}</text>"
        for tick in range(-4, 5)
    )
    return (
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{base}" y2="{base}" stroke="{LINE}"/>{ticks}'
    )


def _steps(counts: Sequence[int], colour: str) -> str:
    highest = max(*counts, 1)
    base, reach = HEIGHT - BOTTOM, HEIGHT - BOTTOM - TOP
    points = [f"{LEFT},{base}"]
    for number, count in enumerate(counts):
        y = base - reach * count / highest
        for edge in (number, number + 1):
            points.append(f"{_similarity_x(2 * edge / len(counts) - 1):.1f},{y:.1f}")
    points.append(f"{WIDTH - RIGHT},{base}")
    return (
        f'<polygon points="{" ".join(points)}" fill="{colour}" fill-opacity="0.3" '
        f'stroke="{colour}"/>'
    )
