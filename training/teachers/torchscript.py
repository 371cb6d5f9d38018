"""Frozen teachers: TorchScript face embedders, each fed the crop on its own template."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from app.domain.alignment import ARCFACE_TEMPLATE, FACE_CROP_SIZE, similarity_transform
from training.recipe import TeacherRecipe


class Teacher(nn.Module):
    """A frozen embedder behind one interface: RGB crops in 0..255 in, unit embeddings out."""

    def __init__(self, recipe: TeacherRecipe, root: Path, device: torch.device) -> None:
        """Load the network; raises ``FileNotFoundError`` where its file is missing."""
        super().__init__()
        path = root / recipe.path
        if not path.is_file():
            raise FileNotFoundError(f"teacher {recipe.name}: {path} does not exist")
        self.recipe = recipe
        network = torch.jit.load(str(path), map_location=device).float().eval()
        self.network = torch.jit.freeze(network)
        self.device = device

    @torch.no_grad()
    def forward(self, crops: Tensor, size: int, margin: float) -> Tensor:
        """Return unit embeddings ``(N, D)`` of float RGB crops ``(N, 3, size, size)``, 0..255.

        ``margin`` is what the crop has beyond the ArcFace crop on each side, as a fraction of the
        112 px crop: 8 / 112 for stored crops, 0 for the student's own input.
        """
        pictures = warp_to_template(crops, self.recipe, size, margin)
        if self.recipe.channels == "bgr":
            pictures = pictures.flip(1)
        pictures = pictures.contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16):
            embeddings = self.network(pictures)
        return F.normalize(embeddings.float(), dim=1)


def warp_to_template(crops: Tensor, recipe: TeacherRecipe, size: int, margin: float) -> Tensor:
    """Resample crops on the ArcFace template onto the teacher's own template and size."""
    unit = size / (1 + 2 * margin) / FACE_CROP_SIZE  # crop pixels in one pixel of the 112 px crop
    # A template maps pixel centres; coordinates here count from the corner of the corner pixel.
    source = (ARCFACE_TEMPLATE + 0.5 + margin * FACE_CROP_SIZE) * unit
    if recipe.template:
        target = np.array(recipe.template) * recipe.input_size + 0.5
    else:
        target = (ARCFACE_TEMPLATE + 0.5) * (recipe.input_size / FACE_CROP_SIZE)
    inverse = similarity_transform(target, source)  # from teacher pixels to crop pixels
    normalised = _to_normalised(inverse, size, recipe.input_size)
    theta = torch.as_tensor(normalised, dtype=crops.dtype, device=crops.device)
    theta = theta.expand(len(crops), 2, 3)
    shape = [len(crops), 3, recipe.input_size, recipe.input_size]
    grid = F.affine_grid(theta, shape, align_corners=False)
    return F.grid_sample(crops, grid, mode="bilinear", padding_mode="border", align_corners=False)


def _to_normalised(matrix: np.ndarray, source_size: int, target_size: int) -> np.ndarray:
    """Rewrite a corner-origin pixel transform for coordinates that run from -1 to 1."""
    linear, shift = matrix[:, :2], matrix[:, 2]
    half = target_size / 2
    return np.hstack(
        [
            linear * (target_size / source_size),
            ((linear @ np.array([half, half]) + shift) * 2 / source_size - 1)[:, None],
        ]
    )
