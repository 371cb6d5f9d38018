"""Mirroring and shifting, which leave almost anything what it is."""

from __future__ import annotations

import torch
from torch import Tensor

from training.metric_recipe import LightAugmentRecipe


def augment_lightly(
    images: Tensor, recipe: LightAugmentRecipe, generator: torch.Generator
) -> Tensor:
    """Return changed copies of images ``(N, 3, S, S)``; ``generator`` lives on the CPU.

    A shifted image is filled up with its own edge.
    """
    if recipe.flip > 0:
        mirrored = torch.rand(len(images), generator=generator) < recipe.flip
        chosen = mirrored.to(images.device)[:, None, None, None]
        images = torch.where(chosen, images.flip(3), images)
    if recipe.shift_pixels > 0:
        reach = recipe.shift_pixels
        shifts = torch.randint(-reach, reach + 1, (2, len(images)), generator=generator)
        down, right = shifts.to(images.device)
        side = torch.arange(images.shape[-1], device=images.device)
        rows = (side[None, :] - down[:, None]).clamp(0, len(side) - 1)
        columns = (side[None, :] - right[:, None]).clamp(0, len(side) - 1)
        number = torch.arange(len(images), device=images.device)[:, None, None]
        picked = images.permute(0, 2, 3, 1)[number, rows[:, :, None], columns[:, None, :]]
        images = picked.permute(0, 3, 1, 2)
    return images
