"""Brightness, contrast, colour cast and grey, each picture its own."""

from __future__ import annotations

from torch import Tensor

from training.augment.randomness import Randomness
from training.recipes.recipe import AugmentRecipe

#: Weights of red, green and blue in luma (ITU-R BT.601).
LUMA = (0.299, 0.587, 0.114)


def luma(pictures: Tensor) -> Tensor:
    """Return the brightness ``(N, 1, H, W)`` of RGB pictures."""
    return pictures.new_tensor(LUMA).view(1, 3, 1, 1).mul(pictures).sum(1, keepdim=True)


def jitter_light(pictures: Tensor, recipe: AugmentRecipe, random: Randomness) -> Tensor:
    """Return pictures under another light, still in 0..255."""
    count = len(pictures)
    gain = random.uniform(1 - recipe.contrast, 1 + recipe.contrast, count, 1, 1, 1)
    offset = random.uniform(-recipe.brightness, recipe.brightness, count, 1, 1, 1) * 127.5
    cast = random.uniform(1 - recipe.colour, 1 + recipe.colour, count, 3, 1, 1)
    mean = pictures.mean(dim=(1, 2, 3), keepdim=True)
    changed = (pictures - mean) * (gain * cast) + mean * cast + offset
    grey = random.chosen(count, recipe.grey)
    changed[grey] = luma(changed[grey]).expand(-1, 3, -1, -1)
    return changed.clamp_(0, 255)
