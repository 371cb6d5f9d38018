"""What cameras and wires do to a picture: few pixels, blur, JPEG."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from training.augment.randomness import Randomness
from training.recipes.recipe import AugmentRecipe

#: Luminance quantisation table of JPEG (ITU-T T.81, Annex K, table K.1).
JPEG_TABLE = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)


def degrade(pictures: Tensor, recipe: AugmentRecipe, random: Randomness) -> Tensor:
    """Return pictures, some of them with lost resolution, sharpness or were pressed as JPEG."""
    count = len(pictures)
    chosen = random.chosen(count, recipe.downscale)
    pictures[chosen] = _lose_pixels(pictures[chosen], float(random.uniform(0.25, 0.8, 1)))
    chosen = random.chosen(count, recipe.blur)
    pictures[chosen] = _blur(pictures[chosen], random)
    chosen = random.chosen(count, recipe.jpeg)
    pictures[chosen] = jpeg(pictures[chosen], random.uniform(15, 70, len(chosen)))
    return pictures


def _lose_pixels(pictures: Tensor, factor: float) -> Tensor:
    size = list(pictures.shape[-2:])
    small = [max(8, round(side * factor)) for side in size]
    if not len(pictures):
        return pictures
    shrunk = F.interpolate(pictures, small, mode="bilinear", antialias=True)
    return F.interpolate(shrunk, size, mode="bilinear", align_corners=False)


def _blur(pictures: Tensor, random: Randomness) -> Tensor:
    """Gaussian blur, and where the two spreads differ it is that of a moved camera."""
    count, channels, height, width = pictures.shape
    if not count:
        return pictures
    offsets = torch.arange(-4, 5, device=pictures.device, dtype=pictures.dtype)
    spreads = random.uniform(0.3, 2.2, 2, count, 1)
    kernels = torch.exp(-0.5 * (offsets / spreads).square())
    kernels = (kernels / kernels.sum(-1, keepdim=True)).repeat_interleave(channels, dim=1)
    flat = F.pad(pictures, (4, 4, 4, 4), mode="replicate").reshape(1, -1, height + 8, width + 8)
    groups = count * channels
    flat = F.conv2d(flat, kernels[0].view(groups, 1, 1, 9), groups=groups)
    flat = F.conv2d(flat, kernels[1].view(groups, 1, 9, 1), groups=groups)
    return flat.view(count, channels, height, width)


def jpeg(pictures: Tensor, quality: Tensor) -> Tensor:
    """Return pictures as JPEG of ``quality`` (1..100, one each) would give them back.

    Every colour plane goes through the 8 x 8 cosine transform and the luminance table, scaled as
    the IJG library does; chroma is not subsampled. Sides must be multiples of 8.
    """
    count, channels, height, width = pictures.shape
    if not count:
        return pictures
    scale = torch.where(quality < 50, 50 / quality, 2 - quality / 50).view(-1, 1, 1, 1, 1, 1)
    table = (pictures.new_tensor(JPEG_TABLE) * scale).round().clamp(1, 255)
    basis = _cosine_basis(pictures)
    blocks = pictures.view(count, channels, height // 8, 8, width // 8, 8) - 128
    blocks = blocks.permute(0, 1, 2, 4, 3, 5)
    coefficients = basis @ blocks @ basis.T
    quantised = (coefficients / table).round() * table
    restored = (basis.T @ quantised @ basis).permute(0, 1, 2, 4, 3, 5)
    return (restored.reshape(count, channels, height, width) + 128).clamp(0, 255)


def _cosine_basis(like: Tensor) -> Tensor:
    """Return the orthonormal 8-point DCT-II matrix."""
    index = torch.arange(8, device=like.device, dtype=like.dtype)
    basis = torch.cos(math.pi * (2 * index[None, :] + 1) * index[:, None] / 16) / 2
    basis[0] /= math.sqrt(2)
    return basis
