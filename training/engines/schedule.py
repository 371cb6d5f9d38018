"""Learning rate and resolution as functions of how much of a run is done."""

from __future__ import annotations

import math

from training.recipes.recipe import ResolutionRecipe


def learning_rate_factor(progress: float, warmup_fraction: float) -> float:
    """Return the factor at ``progress`` in 0..1: linear warm-up, then half a cosine to zero."""
    if progress < warmup_fraction:
        return max(progress, 1e-3) / warmup_fraction
    done = (progress - warmup_fraction) / (1 - warmup_fraction)
    return 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))


def resolution_at(progress: float, stages: tuple[ResolutionRecipe, ...]) -> int:
    """Return the side of the training pictures in pixels at ``progress`` in 0..1."""
    return next((stage.pixels for stage in stages if progress < stage.until), stages[-1].pixels)
