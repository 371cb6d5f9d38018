"""Validation people and strangers as bursts, for the lines that speak for several frames."""

from __future__ import annotations

import numpy as np

from training.calibration.scores import FusedProbes
from training.data.crops import CropSet
from training.evaluation.bursts import simulated_bursts
from training.evaluation.embedders import CropEmbedder, ExportedFile
from training.metrics.intervals import SEED
from training.recipes.build_recipe import CalibrateRecipe

#: Not the frames that ``training study burst`` judges the lines with.
SEED_OF_FRAMES = SEED + 1_000


def burst_probes(
    val: CropSet, strangers: CropSet, embedder: CropEmbedder, settings: CalibrateRecipe
) -> tuple[FusedProbes, ...]:
    """Return every validation photo and some strangers as bursts of the recipe's frames.

    A tail is not read from bursts, only a line, so that not every stranger has to be simulated.
    Frames are those of one moment (``training.augment.frames``). Nothing is returned for what takes
    no ready crops (a checkpoint, or the teachers), nor where the recipe wants none.
    """
    if not isinstance(embedder, ExportedFile) or not settings.burst_frames:
        return ()
    random = np.random.default_rng(SEED_OF_FRAMES)
    rows = np.sort(random.permutation(len(strangers))[: settings.burst_strangers])
    shown = simulated_bursts(
        val, np.arange(len(val)), np.arange(len(val)), embedder, SEED_OF_FRAMES
    )
    others = simulated_bursts(strangers, rows, rows, embedder, SEED_OF_FRAMES + 100)
    return tuple(
        FusedProbes(
            frames,
            shown.fused(frames, weighted=True),
            others.fused(frames, weighted=True),
            rows,
        )
        for frames in settings.burst_frames
    )
