"""Strangers who are one person twice: found by the teachers, listed, and left out of the tail."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from training.data.crops import CropSet
from training.foundation.arrays import IntArray
from training.metrics.pairs import pairs_at_or_above
from training.recipes.recipe import Recipe
from training.teachers.targets import clean_targets
from training.teachers.torchscript import Teacher


def find_duplicates(
    strangers: CropSet,
    recipe: Recipe,
    root: Path,
    cache: Path,
    device: torch.device,
    min_similarity: float,
) -> IntArray | None:
    """Return the pairs of rows ``(K, 2)`` that the teachers take for one person.

    Of the 53 pairs among 64 million whose mean teacher similarity (crop and mirror image) reaches
    0.60, most are one person twice by the look of the pictures; some are not, for team portraits of
    different players and twins reach it too. Below it, different people soon prevail.

    None where a teacher is missing. The judges are the teachers, not the model that is calibrated,
    lest a model excuse its own false matches; a student is still akin to its teachers, and so the
    rarest rates are extrapolated instead of read off what is left.
    """
    if not all((root / teacher.path).is_file() for teacher in recipe.teachers):
        return None
    views = [
        clean_targets(strangers, Teacher(teacher, root, device), cache).numpy()
        for teacher in recipe.teachers
    ]
    joined = np.concatenate(views, axis=1).astype(np.float32)
    # Kept in half precision, an answer is of unit length to a few parts in ten thousand only.
    joined /= np.linalg.norm(joined, axis=1, keepdims=True)
    return pairs_at_or_above(joined, min_similarity)
