"""From similarity to what it means: likelihood ratios, probabilities, false-match rates."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class PlattCalibration:
    """A line from similarity to the natural log of the likelihood ratio, same over different.

    Platt (1999), fitted at equal prior odds, so that the logit is the log-likelihood ratio.
    ``photos``: how many photos the centroid stood for on the enrolled side; ``frames``: how many
    were fused into the probe.
    """

    photos: int
    slope: float
    intercept: float
    frames: int = 1

    def log_likelihood_ratio(self, similarity: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return ln(p(similarity | same) / p(similarity | different)), elementwise."""
        return self.slope * similarity + self.intercept


@dataclass(frozen=True)
class Calibration:
    """Platt lines by frames of the probe, then by enrolled photos; the first is for one of each.

    ``bounds``: the least and the largest log-likelihood ratio that the people behind the lines
    support, for what is said of a score. Who is the most probable, and what a threshold asks, is
    decided on the lines themselves.
    """

    lines: tuple[PlattCalibration, ...]
    bounds: tuple[float, float] = (-math.inf, math.inf)

    def __post_init__(self) -> None:
        counts = [(line.frames, line.photos) for line in self.lines]
        if not counts or counts[0] != (1, 1) or counts != sorted(set(counts)):
            raise ValueError("calibration lines must ascend from one frame and one photo")
        if {frames for frames, _ in counts} != {frames for frames, one in counts if one == 1}:
            raise ValueError("calibration lines of any number of frames must start with one photo")
        if any(line.slope <= 0 for line in self.lines):
            raise ValueError("a calibration must rise with similarity")

    def log_likelihood_ratios(
        self,
        similarities: npt.NDArray[np.floating],
        photo_counts: npt.NDArray[np.integer],
        frames: int = 1,
    ) -> npt.NDArray[np.float64]:
        """Return one log-likelihood ratio a comparison, each by the line for its photo count.

        ``photo_counts`` is ``(N,)``, ``similarities`` ``(N,)`` or, of several probes, ``(M, N)``;
        ``frames`` were fused into each probe. A count between two lines takes the lower one.
        """
        lines = self._lines_for(frames)
        numbers = np.asarray([line.photos for line in lines])
        chosen = np.clip(np.searchsorted(numbers, photo_counts, side="right") - 1, 0, None)
        slopes = np.asarray([line.slope for line in lines])[chosen]
        intercepts = np.asarray([line.intercept for line in lines])[chosen]
        ratios: npt.NDArray[np.float64] = slopes * np.asarray(similarities, float) + intercepts
        return ratios

    def supported(self, ratios: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return log-likelihood ratios clipped to what the people behind the lines support."""
        clipped: npt.NDArray[np.float64] = np.clip(ratios, *self.bounds)
        return clipped

    def line(self, photos: int, frames: int) -> tuple[float, float]:
        """Return slope and intercept of the line that speaks for so many photos and frames."""
        fitting = [line for line in self._lines_for(frames) if line.photos <= max(1, photos)]
        return fitting[-1].slope, fitting[-1].intercept

    def _lines_for(self, frames: int) -> list[PlattCalibration]:
        """Return the lines of the most frames that ``frames`` reaches."""
        fused = max(line.frames for line in self.lines if line.frames <= max(1, frames))
        return [line for line in self.lines if line.frames == fused]

    def similarity_of_equal_evidence(self, photo_count: int) -> float:
        """Return the similarity of a single frame that speaks as much for one person as for two."""
        slope, intercept = self.line(photo_count, frames=1)
        return -intercept / slope


def pair_probability(log_likelihood_ratio: float, prior_same: float) -> float:
    """Return the posterior probability that two faces are one person (Bayes, two hypotheses)."""
    log_odds = log_likelihood_ratio + math.log(prior_same) - math.log1p(-prior_same)
    if log_odds >= 0:
        return 1.0 / (1.0 + math.exp(-log_odds))
    return math.exp(log_odds) / (1.0 + math.exp(log_odds))


def gallery_posterior(
    log_likelihood_ratios: npt.NDArray[np.float64], prior_unknown: float
) -> tuple[npt.NDArray[np.float64], float]:
    """Return the probability of every enrolled person ``(N,)``, and of nobody; they sum to one.

    The prior gives nobody ``prior_unknown`` and shares the rest equally. The likelihood of all
    scores given that person i stands there, over that given nobody does, is the likelihood ratio of
    person i alone, because the other scores are those of strangers either way.
    """
    count = len(log_likelihood_ratios)
    if count == 0:
        return np.zeros(0), 1.0
    log_weights = log_likelihood_ratios + math.log1p(-prior_unknown) - math.log(count)
    log_nobody = math.log(prior_unknown)
    peak = max(float(log_weights.max()), log_nobody)
    weights = np.exp(log_weights - peak)
    nobody = math.exp(log_nobody - peak)
    total = float(weights.sum()) + nobody
    return weights / total, nobody / total
