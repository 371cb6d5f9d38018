"""Flip and similarity jitter, together with the cut from the stored crop to the training size."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from training.augment.randomness import Randomness
from training.data.crops import CROP_MARGIN, CROP_SIZE
from training.recipes.recipe import AugmentRecipe

CENTRE_FRACTION = (CROP_SIZE - 2 * CROP_MARGIN) / CROP_SIZE


def cut_crops(
    images: Tensor, size: int, recipe: AugmentRecipe | None, random: Randomness | None
) -> Tensor:
    """Return float crops ``(N, 3, size, size)`` of stored crops ``(N, 3, 128, 128)``.

    Without a recipe this is the plain centre, exactly the ArcFace crop, resized.
    """
    count = len(images)
    turn = torch.zeros(count, device=images.device)
    scale = torch.full((count,), CENTRE_FRACTION, device=images.device)
    mirror = torch.ones(count, device=images.device)
    shift = torch.zeros(count, 2, device=images.device)
    if recipe is not None and random is not None:
        angle = math.radians(recipe.rotation_degrees)
        turn = random.uniform(-angle, angle, count)
        scale = scale * random.uniform(1 - recipe.scale, 1 + recipe.scale, count)
        mirror[random.chosen(count, recipe.flip)] = -1.0
        reach = recipe.shift_pixels * 2 / CROP_SIZE
        shift = random.uniform(-reach, reach, count, 2)
    cos, sin = torch.cos(turn) * scale, torch.sin(turn) * scale
    rows = [
        torch.stack([cos * mirror, -sin, shift[:, 0]], dim=1),
        torch.stack([sin * mirror, cos, shift[:, 1]], dim=1),
    ]
    grid = F.affine_grid(torch.stack(rows, dim=1), [count, 3, size, size], align_corners=False)
    return F.grid_sample(images, grid, padding_mode="border", align_corners=False)
