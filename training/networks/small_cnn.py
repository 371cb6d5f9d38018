"""A convolutional network for digits and other small pictures of 24 to 48 px."""

from __future__ import annotations

import itertools

import torch.nn.functional as F
from torch import Tensor, nn


class SmallNetwork(nn.Module):
    """Three 3 x 3 convolutions with strides, then the mean over all positions."""

    features = 96

    def __init__(self) -> None:
        super().__init__()
        widths = (3, 24, 48, self.features)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False)
            for before, after in itertools.pairwise(widths)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for width in widths[1:])
        self.positions = nn.Linear(self.features * 16, self.features)

    def forward(self, images: Tensor) -> Tensor:
        """Return features ``(N, 96)`` of scaled images ``(N, 3, S, S)``."""
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            images = F.relu(norm(convolution(images)))
        cells = F.adaptive_avg_pool2d(images, 4).flatten(1)
        return F.relu(self.positions(cells))
