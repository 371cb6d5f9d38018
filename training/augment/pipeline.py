"""All augmentations in the order in which the world applies them."""

from __future__ import annotations

from torch import Tensor

from training.augment.degradation import degrade
from training.augment.geometry import cut_crops
from training.augment.occlusion import fill_outside, occlude
from training.augment.photometry import jitter_light
from training.augment.randomness import Randomness
from training.recipes.recipe import AugmentRecipe


def augment(images: Tensor, size: int, recipe: AugmentRecipe, random: Randomness) -> Tensor:
    """Return augmented float RGB crops ``(N, 3, size, size)`` in 0..255 of stored uint8 crops."""
    pictures = cut_crops(fill_outside(images, random), size, recipe, random)
    pictures = occlude(pictures, recipe, random)
    pictures = jitter_light(pictures, recipe, random)
    pictures = degrade(pictures, recipe, random).clamp(0, 255)
    return mix_faces(pictures, recipe.mixup, random)


def mix_faces(pictures: Tensor, probability: float, random: Randomness) -> Tensor:
    """Return pictures, some of them blended with another face of the batch.

    No label goes with a blend: it is for a teacher that sees the same picture (mixup, Zhang et al.
    2018, as in function matching, Beyer et al. 2022).
    """
    chosen = random.chosen(len(pictures), probability)
    partner = random.permutation(len(pictures))[: len(chosen)]
    share = random.uniform(0.0, 1.0, len(chosen), 1, 1, 1)
    blended = pictures[chosen] * share + pictures[partner] * (1 - share)
    pictures[chosen] = blended
    return pictures
