"""What stands before a face: patches, face masks, and what fills a crop beyond its photograph."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from training.augment.randomness import Randomness
from training.recipes.recipe import AugmentRecipe


def fill_outside(images: Tensor, random: Randomness) -> Tensor:
    """Return float pictures with every exact (0, 0, 0) replaced, at random, by one of four fills.

    The fills: the picture's mean colour, a random colour, soft noise, another picture of the batch;
    so that no network can learn where a tight cut ends.
    """
    pictures = images.float()
    outside = ~(images != 0).any(dim=1, keepdim=True)
    rows = torch.nonzero(outside.flatten(1).any(dim=1)).flatten()
    if not len(rows):
        return pictures
    some, hole = pictures[rows], outside[rows]
    count, side = len(rows), images.shape[-1]
    inside = (~hole).float()
    mean = (some * inside).sum((2, 3), keepdim=True) / inside.sum((2, 3), keepdim=True).clamp(1)
    colour = random.uniform(0, 255, count, 3, 1, 1)
    noise = F.interpolate(random.uniform(0, 255, count, 3, 16, 16), [side, side], mode="bilinear")
    kind = random.uniform(0, 4, count, 1, 1, 1).floor()
    fill = torch.where(kind == 0, mean, torch.where(kind == 1, colour, noise))
    pictures[rows] = torch.where(hole, fill, some)
    # Another picture comes last, when none has a hole any more.
    other = pictures[random.permutation(len(pictures))[:count]]
    pictures[rows] = torch.where(hole & (kind == 3), other, pictures[rows])
    return pictures


def occlude(pictures: Tensor, recipe: AugmentRecipe, random: Randomness) -> Tensor:
    """Return pictures, some of them partly covered by a patch or a face mask."""
    chosen = random.chosen(len(pictures), recipe.occlusion)
    pictures[chosen] = _cover(pictures[chosen], _patches(pictures[chosen], random), random)
    chosen = random.chosen(len(pictures), recipe.mask)
    pictures[chosen] = _cover(pictures[chosen], _face_masks(pictures[chosen], random), random)
    return pictures


def _cover(pictures: Tensor, region: Tensor, random: Randomness) -> Tensor:
    shade = random.uniform(0, 255, len(pictures), 3, 1, 1)
    texture = random.normal(len(pictures), 1, *pictures.shape[-2:]) * 12
    return torch.where(region, (shade + texture).clamp(0, 255), pictures)


def _grid(pictures: Tensor) -> tuple[Tensor, Tensor]:
    side = pictures.shape[-1]
    steps = (torch.arange(side, device=pictures.device) + 0.5) / side
    return steps.view(1, 1, 1, side), steps.view(1, 1, side, 1)


def _patches(pictures: Tensor, random: Randomness) -> Tensor:
    across, down = _grid(pictures)
    count = len(pictures)
    centre = random.uniform(0.0, 1.0, 2, count, 1, 1, 1)
    half = random.uniform(0.06, 0.2, 2, count, 1, 1, 1)
    return ((across - centre[0]).abs() < half[0]) & ((down - centre[1]).abs() < half[1])


def _face_masks(pictures: Tensor, random: Randomness) -> Tensor:
    """Return the region from the nose to the chin, as a surgical mask covers it."""
    across, down = _grid(pictures)
    count = len(pictures)
    top = random.uniform(0.52, 0.66, count, 1, 1, 1)
    rise = random.uniform(0.0, 0.35, count, 1, 1, 1)
    half_width = random.uniform(0.32, 0.46, count, 1, 1, 1)
    off_centre = (across - 0.5).abs()
    below_edge = down > top + rise * off_centre
    within_face = off_centre < half_width * (1.15 - 0.35 * down)
    return below_edge & within_face
