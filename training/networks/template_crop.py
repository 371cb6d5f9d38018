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
    theta = transform.to(crops).expand(len(crops), 2, 3)
    grid = F.affine_grid(theta, [len(crops), 3, size, size], align_corners=False)
    return F.grid_sample(crops, grid, mode="bilinear", padding_mode="border", align_corners=False)


class TemplateCrop(nn.Module):
    """Resample ArcFace crops onto another upright template, at the same relation of sizes always.

    Bilinear, as two products with constant matrices: OpenVINO makes no affine grids, and sampling
    by a grid in bfloat16 would be off by a fifth of a pixel. What the templates are turned against
    each other (0.1 degrees for 0095's) is left out.
    """

    def __init__(self, template: Sequence[Sequence[float]], size: int) -> None:
        """``size`` is the side of what comes out for the 112 px crop."""
        super().__init__()
        self.ratio = size / FACE_CROP_SIZE
        transform = template_transform(template, size, FACE_CROP_SIZE, 0.0).float()
        self.transform = nn.Buffer(transform)
        self.rows = nn.Buffer(_weights(transform[1], 1, size, FACE_CROP_SIZE), persistent=False)
        columns = _weights(transform[0], 0, size, FACE_CROP_SIZE).T.contiguous()
        self.columns = nn.Buffer(columns, persistent=False)

    def forward(self, crops: Tensor) -> Tensor:
        """Return pictures ``(N, 3, R, R)`` of crops ``(N, 3, S, S)``; R = 8 / 7 S for 128.

        As TorchScript it takes crops of 112 px only.
        """
        rows: Tensor = self.rows
        columns: Tensor = self.columns
        if not torch.jit.is_scripting():  # type: ignore[attr-defined]
            source = crops.shape[-1]
            if source != rows.shape[1]:
                size = int(source * self.ratio + 0.5)
                rows = _weights(self.transform[1], 1, size, source)
                columns = _weights(self.transform[0], 0, size, source).T
            with torch.autocast(crops.device.type, enabled=False):
                pictures = torch.matmul(torch.matmul(rows, crops.float()), columns)
        else:
            pictures = torch.matmul(torch.matmul(rows, crops), columns)
        # Channels last, in which the network after this runs 1.5 times as fast on a CPU.
        return pictures.contiguous(memory_format=torch.channels_last)


def _weights(transform: Tensor, axis: int, size: int, source: int) -> Tensor:
    """Return what each of ``source`` pixels gives to each of ``size``, ``(size, source)``.

    ``transform`` is one line of an affine grid, from -1 to 1; beyond the border its pixel counts.
    """
    steps = (torch.arange(size, device=transform.device) + 0.5) * 2 / size - 1
    places = ((transform[axis] * steps + transform[2] + 1) * source / 2 - 0.5).clamp(0, source - 1)
    pixels = torch.arange(source, device=transform.device)
    return (1 - (places[:, None] - pixels).abs()).clamp(min=0)


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
