"""Light augmentation for images of any kind and size: mirror, another cut, another light."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from training.augment.photometry import jitter_light
from training.augment.randomness import Randomness
from training.recipe import AugmentRecipe


class GenericAugmentRecipe(BaseModel):
    """How often and how strongly an image is changed; all zero, it is left exactly as it is.

    ``flip``: probability of a mirror image; 0 for letters and digits. ``crop``: at most this
    fraction of the side is cut away. ``brightness``: shift as a fraction of half the range.
    ``contrast``: gain around the image's mean.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    flip: float = Field(default=0.5, ge=0, le=1)
    crop: float = Field(default=0.15, ge=0, lt=1)
    brightness: float = Field(default=0.2, ge=0, le=1)
    contrast: float = Field(default=0.2, ge=0, le=1)

    @property
    def changes_nothing(self) -> bool:
        """Whether every image stays as it is."""
        return self == NO_CHANGE


NO_CHANGE = GenericAugmentRecipe(flip=0, crop=0, brightness=0, contrast=0)


def augment_generic(images: Tensor, recipe: GenericAugmentRecipe, random: Randomness) -> Tensor:
    """Return changed float RGB images in 0..255, of the shape ``(N, 3, S, S)`` of ``images``."""
    if recipe.changes_nothing:
        return images.float()
    cut = _cut(images.float(), recipe, random)
    light = AugmentRecipe(
        brightness=recipe.brightness, contrast=recipe.contrast, colour=0.0, grey=0.0
    )
    return jitter_light(cut, light, random)


def _cut(images: Tensor, recipe: GenericAugmentRecipe, random: Randomness) -> Tensor:
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
