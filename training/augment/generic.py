"""Light augmentation for images of any kind and size: mirror, another crop, another light."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from training.augment.photometry import jitter_light
from training.augment.randomness import Randomness
from training.recipes.augment_recipe import GenericAugmentRecipe
from training.recipes.recipe import AugmentRecipe


def augment_generic(images: Tensor, recipe: GenericAugmentRecipe, random: Randomness) -> Tensor:
    """Return changed float RGB images in 0..255, of the shape ``(N, 3, S, S)`` of ``images``."""
    if recipe.changes_nothing:
        return images.float()
    cropped = _crop(images.float(), recipe, random)
    light = AugmentRecipe(
        brightness=recipe.brightness, contrast=recipe.contrast, colour=0.0, grey=0.0
    )
    return jitter_light(cropped, light, random)


def _crop(images: Tensor, recipe: GenericAugmentRecipe, random: Randomness) -> Tensor:
    """Return a square from within each image, at its full size again, some of them mirrored."""
    count = len(images)
    scale = random.uniform(1 - recipe.crop, 1.0, count)
    shift = random.uniform(-1.0, 1.0, count, 2) * (1 - scale)[:, None]
    mirror = torch.ones(count, device=images.device)
    mirror[random.chosen(count, recipe.flip)] = -1.0
    none = torch.zeros(count, device=images.device)
    rows = [
        torch.stack([scale * mirror, none, shift[:, 0]], dim=1),
        torch.stack([none, scale, shift[:, 1]], dim=1),
    ]
    grid = F.affine_grid(torch.stack(rows, dim=1), list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, padding_mode="border", align_corners=False)
