"""Frozen teachers: TorchScript face embedders, each fed the crop on its own template."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.foundation.errors import CheckpointError
from training.foundation.files import file_hash
from training.foundation.precision import Precision, precision_of
from training.networks.template_crop import resample, template_transform
from training.recipes.recipe import TeacherRecipe

#: What a teacher weighs in a run changes nothing in its answers.
_WEIGHTS = {"loss_weight", "similarity_weight"}


class Teacher(nn.Module):
    """A frozen embedder behind one interface: RGB crops in 0..255 in, unit embeddings out."""

    def __init__(self, recipe: TeacherRecipe, root: Path, device: torch.device) -> None:
        """Load the network and show it a blank picture.

        Raises ``FileNotFoundError`` where its file is missing, and ``CheckpointError`` where that
        is no TorchScript module or gives no embedding of a picture of the recipe's size.
        """
        super().__init__()
        path = root / recipe.path
        if not path.is_file():
            raise FileNotFoundError(f"teacher {recipe.name}: {path} does not exist")
        self.recipe = recipe
        self.device = device
        self.precision = precision_of(device)
        self.identity = _identity(recipe, path, self.precision)
        try:
            network = torch.jit.load(str(path), map_location=device).float().eval()
        except RuntimeError as error:
            raise CheckpointError(
                f"teacher {recipe.name}: {path} is no TorchScript module: {_last_line(error)}"
            ) from error
        _try_out(network, recipe, path, device)
        self.network = torch.jit.freeze(network)

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
        with self.precision.on(self.device):
            embeddings = self.network(pictures)
        return F.normalize(embeddings.float(), dim=1)


def warp_to_template(crops: Tensor, recipe: TeacherRecipe, size: int, margin: float) -> Tensor:
    """Resample crops on the ArcFace template onto the teacher's own template and size."""
    transform = template_transform(recipe.template, recipe.input_size, size, margin)
    return resample(crops, transform, recipe.input_size)


@torch.no_grad()
def _try_out(network: nn.Module, recipe: TeacherRecipe, path: Path, device: torch.device) -> None:
    """Raise ``CheckpointError`` where a picture of the recipe's size gives no embedding."""
    size = recipe.input_size
    wanted = f"teacher {recipe.name}: {path} gives no embedding of a picture of {size} px"
    try:
        answer: object = network(torch.full((1, 3, size, size), 128.0, device=device))
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:
        raise CheckpointError(f"{wanted}: {_last_line(error)}") from error
    if not isinstance(answer, Tensor) or answer.ndim != 2 or len(answer) != 1:
        given = tuple(answer.shape) if isinstance(answer, Tensor) else type(answer).__name__
        raise CheckpointError(f"{wanted} but {given}")


def _identity(recipe: TeacherRecipe, path: Path, precision: Precision) -> str:
    """Return what tells answers apart: the file's content, how it is shown pictures, precision."""
    state = path.stat()
    content = _content(path.resolve(), state.st_size, state.st_mtime_ns)
    key = f"{recipe.model_dump_json(exclude=_WEIGHTS)} {content} {precision}"
    return hashlib.sha256(key.encode()).hexdigest()


@cache
def _content(path: Path, _size: int, _changed_ns: int) -> str | None:
    return file_hash(path)


def _last_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or ["it cannot be read"])[-1][:300]
