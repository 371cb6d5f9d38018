"""Frozen teachers: TorchScript face embedders, each fed the crop on its own template."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.networks.template_crop import resample, template_transform
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
    transform = template_transform(recipe.template, recipe.input_size, size, margin)
    return resample(crops, transform, recipe.input_size)
