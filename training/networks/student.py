"""The student: a small dense ReLU residual network, shaped for CPUs.

Dense 3 x 3 convolutions and ReLU, because depthwise convolutions with PReLU train several times
slower on a CPU and run no faster. The head is a global depthwise convolution (MobileFaceNets,
Chen et al. 2018): a learned weighting of positions, since an aligned face has its parts in place.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

HEAD_SIZE = 7  # side of the last feature map for the 112 px crop


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions with a shortcut (He et al., CVPR 2016)."""

    def __init__(self, channels_in: int, channels_out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels_out, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels_out)
        self.conv2 = nn.Conv2d(channels_out, channels_out, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels_out)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or channels_in != channels_out:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels_in, channels_out, 1, stride, bias=False),
                nn.BatchNorm2d(channels_out),
            )

    def forward(self, features: Tensor) -> Tensor:
        """Return features ``(N, channels_out, S / stride, S / stride)``."""
        out = F.relu(self.norm1(self.conv1(features)))
        out = self.norm2(self.conv2(out))
        return F.relu(out + self.shortcut(features))


class GlobalDepthwiseHead(nn.Module):
    """Weigh every position of every channel, then project to the embedding."""

    def __init__(self, channels: int, embedding_dim: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.size = HEAD_SIZE
        self.position_weight = nn.Parameter(torch.empty(channels, HEAD_SIZE, HEAD_SIZE))
        nn.init.normal_(self.position_weight, 1 / HEAD_SIZE**2, 0.5 / HEAD_SIZE)
        self.norm = nn.BatchNorm1d(channels)
        self.project = nn.Linear(channels, embedding_dim)

    def forward(self, features: Tensor) -> Tensor:
        """Return unnormalised embeddings ``(N, D)`` of a feature map ``(N, C, S, S)``."""
        if features.shape[-1] != self.size:  # only in training, at a smaller input
            size = [self.size, self.size]
            features = F.interpolate(features, size, mode="bilinear", align_corners=False)
        pooled = (features * self.position_weight).sum(dim=(2, 3))
        embeddings: Tensor = self.project(self.dropout(self.norm(pooled)))
        return embeddings


class StudentNetwork(nn.Module):
    """RGB crops in 0..255 ``(N, 3, S, S)`` to unnormalised embeddings; S = 112 to serve."""

    def __init__(
        self,
        widths: tuple[int, ...] = (32, 64, 128, 256),
        blocks: tuple[int, ...] = (1, 2, 2, 1),
        embedding_dim: int = 256,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = [
            nn.Conv2d(3, widths[0], 3, 2, 1, bias=False),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(),
        ]
        channels = widths[0]
        for stage, (width, count) in enumerate(zip(widths, blocks, strict=True)):
            for position in range(count):
                stride = 2 if position == 0 and stage > 0 else 1
                layers.append(ResidualBlock(channels, width, stride))
                channels = width
        self.trunk = nn.Sequential(*layers)
        self.head = GlobalDepthwiseHead(channels, embedding_dim, dropout)

    def forward(self, crops: Tensor) -> Tensor:
        """Return unnormalised embeddings ``(N, D)``."""
        embeddings: Tensor = self.head(self.trunk((crops - 127.5) / 127.5))
        return embeddings
