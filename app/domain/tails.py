"""Which similarities different people reach how rarely, and genuine people fail to reach."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from app.domain.support import pairs_of, rarest_supported

#: How far below the rarest observed rate a fitted tail is still trusted: a thousandth of it.
TRUSTED_EXTRAPOLATION = 1e-3
#: How far its upper bound may lie above a similarity for the tail to be trusted there.
WIDEST_BOUND = 0.1 + 1e-9


@dataclass(frozen=True)
class ImpostorTail:
    """How often two different people reach a similarity: points ``(fmr, similarity)``.

    False-match rates descend, similarities ascend. Below ``extrapolated_below`` the rate was not
    observed but extrapolated; ``population`` names the people in the pairs. ``uppers`` holds for
    each point the upper confidence bound of its similarity; without it the points are their own
    bounds. ``people``: how many made the pairs, where nothing may be promised beyond the rule of
    three; None where the bounds alone say how far the tail can be trusted.
    """

    population: str
    points: tuple[tuple[float, float], ...]
    extrapolated_below: float
    uppers: tuple[float, ...] = ()
    people: int | None = None

    def __post_init__(self) -> None:
        rates = [rate for rate, _ in self.points]
        similarities = [value for _, value in self.points]
        if len(self.points) < 2 or rates != sorted(rates, reverse=True):
            raise ValueError("an impostor tail needs descending false-match rates")
        if similarities != sorted(similarities):
            raise ValueError("an impostor tail needs ascending similarities")
        if self.uppers and (
            len(self.uppers) != len(self.points)
            or list(self.uppers) != sorted(self.uppers)
            or any(upper < value for upper, value in zip(self.uppers, similarities, strict=True))
        ):
            raise ValueError("upper bounds must ascend and lie above their points")

    @property
    def rarest_rate(self) -> float:
        """The rarest rate for which this tail can stand: not too far, and not too unsure."""
        bounds = self.uppers or tuple(value for _, value in self.points)
        sure = [
            rate
            for (rate, value), upper in zip(self.points, bounds, strict=True)
            if upper - value <= WIDEST_BOUND
        ]
        trusted = max(sure[-1] if sure else 1.0, self.extrapolated_below * TRUSTED_EXTRAPOLATION)
        if self.people is None:
            return trusted
        return max(trusted, rarest_supported(pairs_of(self.people)))

    @property
    def rarest_attempt(self) -> float:
        """The rarest risk of an attempt for which this tail can stand, whoever is enrolled.

        An attempt is one person's, however many are enrolled, so that people are what is counted.
        """
        return 0.0 if self.people is None else rarest_supported(self.people)

    def threshold_at(self, false_match_rate: float) -> float:
        """Return the similarity that different people reach at this rate.

        Linear in the logarithm of the rate between the points. Raises ``ValueError`` outside them.
        """
        return self._at(false_match_rate, [value for _, value in self.points])

    def upper_at(self, false_match_rate: float) -> float:
        """Return the upper confidence bound of that similarity; raises ``ValueError`` as above."""
        return self._at(false_match_rate, list(self.uppers) or [value for _, value in self.points])

    def _at(self, false_match_rate: float, similarities: list[float]) -> float:
        rates = np.log([rate for rate, _ in self.points])
        log_rate = math.log(false_match_rate)
        if not rates[-1] - 1e-9 <= log_rate <= rates[0] + 1e-9:
            raise ValueError(
                f"a false-match rate of {false_match_rate:g} lies outside the measured range"
            )
        return float(np.interp(-log_rate, -rates, similarities))

    def false_match_rate_at(self, similarity: float) -> float:
        """Return the rate at which different people reach ``similarity``, clipped to the points."""
        return self._rate_at(similarity, [value for _, value in self.points])

    def upper_rate_at(self, similarity: float) -> float:
        """Return the upper confidence bound of that rate, clipped to the points.

        Never rarer than the people support.
        """
        bounds = list(self.uppers) or [value for _, value in self.points]
        rate = self._rate_at(similarity, bounds)
        return rate if self.people is None else max(rate, rarest_supported(pairs_of(self.people)))

    def _rate_at(self, similarity: float, similarities: list[float]) -> float:
        rates = np.log([rate for rate, _ in self.points])
        return float(math.exp(np.interp(similarity, similarities, rates)))


@dataclass(frozen=True)
class GenuineScores:
    """Which share of genuine probes stays below a similarity, with ``photos`` photos enrolled.

    Points ``(false non-match rate, similarity)``, both ascending. ``people`` is how many made the
    probes, None where the model does not tell: the probes of one person are not independent, so
    that people are what an interval counts.
    """

    photos: int
    points: tuple[tuple[float, float], ...]
    people: int | None = None

    def __post_init__(self) -> None:
        if self.people is not None and self.people < 1:
            raise ValueError("genuine scores are of one person at least")
        rates = [rate for rate, _ in self.points]
        similarities = [value for _, value in self.points]
        if len(self.points) < 2 or rates != sorted(rates) or similarities != sorted(similarities):
            raise ValueError("genuine scores need ascending rates and similarities")

    def similarity_at(self, false_non_match_rate: float) -> float:
        """Return the similarity below which this share of genuine probes stays."""
        rates = [rate for rate, _ in self.points]
        return float(np.interp(false_non_match_rate, rates, [value for _, value in self.points]))

    def false_non_match_rate_at(self, similarity: float) -> float:
        """Return the share of genuine probes below ``similarity``, clipped to the points."""
        similarities = [value for _, value in self.points]
        return float(np.interp(similarity, similarities, [rate for rate, _ in self.points]))
