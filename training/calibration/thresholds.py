"""Default thresholds: the stricter of all strangers and the worst group, safe for centroids."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.tail_fit import HIGHEST
from app.domain.tails import ImpostorTail
from training.calibration.results import ManifestThreshold, Tail, Thresholds
from training.recipes.build_recipe import CalibrateRecipe


def reached_at(tail: Tail, rate: float) -> float:
    """Return the similarity that different people of this tail reach at ``rate``."""
    points = ImpostorTail(tail.population, tail.points, tail.extrapolated_below)
    return points.threshold_at(rate)


def worst_tail(tails: Sequence[Tail], rate: float) -> Tail:
    """Return the tail that asks for the highest threshold at ``rate``."""
    return max(tails, key=lambda tail: reached_at(tail, rate))


def choose_thresholds(
    overall: Tail, pools: Sequence[Tail], centroid_shift: float, settings: CalibrateRecipe
) -> Thresholds:
    """Return the default thresholds at the recipe's rates for 1:N and 1:1, in the strictest tail.

    Or the rarest rate that every tail reaches, where people are too few for these.

    ``centroid_shift`` (at least 0) is added: so much higher do strangers score against the centroid
    of several photos than against one photo, for a mean of unit vectors, made unit again, is closer
    to everyone. The tails themselves are of single photos, since a stranger has only one.
    """
    tails = [overall, *pools]
    return Thresholds(
        identify=_threshold(tails, settings.identify_rate, centroid_shift),
        verify=_threshold(tails, settings.verify_rate, centroid_shift),
    )


def _threshold(tails: Sequence[Tail], rate: float, shift: float) -> ManifestThreshold:
    rate = max(rate, *(tail.points[-1][0] for tail in tails))
    strictest = worst_tail(tails, rate)
    return ManifestThreshold(
        similarity=min(HIGHEST, reached_at(strictest, rate) + shift),
        false_match_rate=rate,
        population=strictest.population,
    )
