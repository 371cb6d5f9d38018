"""MobileFaceNet with squeeze-and-excitation: inverted bottlenecks and a learned pooling.

Chen et al. 2018 (MobileFaceNets) with the gates of Hu et al. 2018; widths, depths and the single
slope of each PReLU are those of Intel's face-reidentification-retail-0095, so that its weights can
be the start. Normalisation is folded into the convolutions, as in that file: this network is made
to go on from trained weights, not to be trained from nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.networks.template_crop import TemplateCrop

#: Channels inside, channels out and stride of each bottleneck.
BOTTLENECKS: Sequence[tuple[int, int, int]] = (
    (128, 64, 2),
    *[(128, 64, 1)] * 4,
    (256, 128, 2),
    *[(256, 128, 1)] * 6,
    (512, 128, 2),
    *[(256, 128, 1)] * 2,
)
STEM_CHANNELS = 64
LAST_CHANNELS = 512
HEAD_SIZE = 7  # side of the last feature map for a picture of 112 px

#: The picture that the published weights were trained on: its side, and five landmarks on it as
#: fractions (model documentation of face-reidentification-retail-0095). It lies inside our crop.
PUBLISHED_SIZE = 128
PUBLISHED_HEAD_SIZE = 8
PUBLISHED_TEMPLATE = (
    (0.31557, 0.46157),
    (0.68262, 0.46157),
    (0.50026, 0.64051),
    (0.34947, 0.82470),
    (0.65344, 0.82470),
)


class SlopedConvolution(nn.Module):
    """A convolution with bias, then PReLU of one slope that is a constant, not learned."""

    def __init__(self, inside: int, outside: int, size: int, stride: int, groups: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inside, outside, size, stride, size // 2, groups=groups)
        self.slope = nn.Buffer(torch.full((1,), 0.25))
        self.slow_in_bf16 = groups > 1 and stride > 1

    def forward(self, features: Tensor) -> Tensor:
        """Return features ``(N, outside, S / stride, S / stride)``."""
        scripting = torch.jit.is_scripting()  # type: ignore[attr-defined]
        if not scripting and self.training and self.slow_in_bf16:
            # oneDNN's gradients of strided depthwise convolutions are 8 times slower in bf16.
            with torch.autocast(features.device.type, enabled=features.device.type != "cpu"):
                return F.leaky_relu(self.conv(features.float()), float(self.slope))
        return F.leaky_relu(self.conv(features), float(self.slope))


class SqueezeExcitation(nn.Module):
    """Scale each channel by a gate that has seen the whole picture (Hu et al., CVPR 2018)."""

    def __init__(self, channels: int, reduction: int = 8) -> None:
        super().__init__()
        self.squeeze = SlopedConvolution(channels, channels // reduction, 1, 1)
        self.excite = nn.Conv2d(channels // reduction, channels, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape."""
        gate = self.excite(self.squeeze(features.mean(dim=(2, 3), keepdim=True)))
        return features * torch.sigmoid(gate)


class Bottleneck(nn.Module):
    """Widen, look around in each channel, narrow, gate; a shortcut where the shapes agree."""

    def __init__(self, channels: int, inside: int, outside: int, stride: int) -> None:
        super().__init__()
        self.widen = SlopedConvolution(channels, inside, 1, 1)
        self.depthwise = SlopedConvolution(inside, inside, 3, stride, groups=inside)
        self.narrow = nn.Conv2d(inside, outside, 1)
        self.gate = SqueezeExcitation(outside)
        self.shortcut = stride == 1 and channels == outside

    def forward(self, features: Tensor) -> Tensor:
        """Return features ``(N, outside, S / stride, S / stride)``."""
        out: Tensor = self.gate(self.narrow(self.depthwise(self.widen(features))))
        return features + out if self.shortcut else out


class MobileFaceNetwork(nn.Module):
    """RGB crops in 0..255 ``(N, 3, S, S)`` to unnormalised embeddings; S = 112 to serve."""

    def __init__(self, embedding_dim: int = 256, published_crop: bool = False) -> None:
        """``published_crop`` looks at the crop as the published weights were trained to."""
        super().__init__()
        self.crop: nn.Module = nn.Identity()
        if published_crop:
            self.crop = TemplateCrop(PUBLISHED_TEMPLATE, PUBLISHED_SIZE)
        self.scale = nn.Buffer(torch.full((1, 3, 1, 1), 1 / 127.5))
        self.shift = nn.Buffer(torch.full((1, 3, 1, 1), -1.0))
        layers: list[nn.Module] = [
            SlopedConvolution(3, STEM_CHANNELS, 3, 2),
            SlopedConvolution(STEM_CHANNELS, STEM_CHANNELS, 3, 1, groups=STEM_CHANNELS),
        ]
        channels = STEM_CHANNELS
        for inside, outside, stride in BOTTLENECKS:
            layers.append(Bottleneck(channels, inside, outside, stride))
            channels = outside
        layers.append(SlopedConvolution(channels, LAST_CHANNELS, 1, 1))
        self.trunk = nn.Sequential(*layers)
        self.size = PUBLISHED_HEAD_SIZE if published_crop else HEAD_SIZE
        self.pool = nn.Conv2d(LAST_CHANNELS, LAST_CHANNELS, self.size, groups=LAST_CHANNELS)
        self.project = nn.Linear(LAST_CHANNELS, embedding_dim)

    def features(self, crops: Tensor) -> Tensor:
        """Return what the projection sees of each crop, ``(N, 512)``."""
        features = self.trunk(self.crop(crops) * self.scale + self.shift)
        if features.shape[-1] != self.size:  # only in training, at a smaller input
            size = [self.size, self.size]
            features = F.interpolate(features, size, mode="bilinear", align_corners=False)
        return torch.flatten(self.pool(features), 1)

    def forward(self, crops: Tensor) -> Tensor:
        """Return unnormalised embeddings ``(N, D)``."""
        embeddings: Tensor = self.project(self.features(crops))
        return embeddings
