"""From one aligned crop to another: the same face on another network's template and size."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from app.domain.alignment import ARCFACE_TEMPLATE, FACE_CROP_SIZE, similarity_transform


def template_transform(
    template: Sequence[Sequence[float]], size: int, source_size: int, margin: float
) -> Tensor:
    """Return the affine grid ``(2, 3)`` that resamples a crop onto ``template``.

    ``template`` holds five landmarks as fractions of ``size``, the side of the picture wanted;
    empty means the ArcFace crop. The crop is ``source_size`` wide and shows ``margin`` more than
    the ArcFace crop on each side, as a fraction of that crop's 112 px.
    """
    # crop pixels in one pixel of the 112 px crop
    unit = source_size / (1 + 2 * margin) / FACE_CROP_SIZE
    # A template maps pixel centres; coordinates here count from the corner of the corner pixel.
    source = (ARCFACE_TEMPLATE + 0.5 + margin * FACE_CROP_SIZE) * unit
    if template:
        target = np.array(template) * size + 0.5
    else:
        target = (ARCFACE_TEMPLATE + 0.5) * (size / FACE_CROP_SIZE)
    inverse = similarity_transform(target, source)  # from wanted pixels to crop pixels
    return torch.as_tensor(_to_normalised(inverse, source_size, size))


def resample(crops: Tensor, transform: Tensor, size: int) -> Tensor:
    """Return pictures ``(N, 3, size, size)`` of crops ``(N, 3, S, S)`` by an affine grid."""
    return _sample(crops, _grid(transform, size).to(crops))


class TemplateCrop(nn.Module):
    """Resample ArcFace crops onto another template, at the same relation of sizes always."""

    def __init__(self, template: Sequence[Sequence[float]], size: int) -> None:
        """``size`` is the side of what comes out for the 112 px crop."""
        super().__init__()
        self.ratio = size / FACE_CROP_SIZE
        transform = template_transform(template, size, FACE_CROP_SIZE, 0.0).float()
        self.transform = nn.Buffer(transform)
        self.grid = nn.Buffer(_grid(transform, size), persistent=False)

    def forward(self, crops: Tensor) -> Tensor:
        """Return pictures ``(N, 3, R, R)`` of crops ``(N, 3, S, S)``; R = 8 / 7 S for 128.

        As TorchScript it takes crops of 112 px only: OpenVINO makes no affine grids.
        """
        grid: Tensor = self.grid
        if not torch.jit.is_scripting():  # type: ignore[attr-defined]
            size = int(crops.shape[-1] * self.ratio + 0.5)
            if size != grid.shape[1]:
                grid = _grid(self.transform, size)
        # Channels last, in which the network after this runs 1.5 times as fast on a CPU.
        return _sample(crops, grid).contiguous(memory_format=torch.channels_last)


def _grid(transform: Tensor, size: int) -> Tensor:
    """Return where each of ``size`` x ``size`` pixels is taken from, ``(1, size, size, 2)``."""
    return F.affine_grid(transform[None], [1, 3, size, size], align_corners=False)


def _sample(crops: Tensor, grid: Tensor) -> Tensor:
    grids = grid.expand(crops.shape[0], -1, -1, -1)
    return F.grid_sample(crops, grids, mode="bilinear", padding_mode="border", align_corners=False)


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
