"""A file in the shape of the published network, with random weights, and an oracle that runs it."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

#: Channels in, inside, out and stride of each bottleneck, as read off the published file.
BLOCKS = (
    [(64, 128, 64, 2)]
    + [(64, 128, 64, 1)] * 4
    + [(64, 256, 128, 2)]
    + [(128, 256, 128, 1)] * 6
    + [(128, 512, 128, 2)]
    + [(128, 256, 128, 1)] * 2
)


def random_tensors(pool: int, seed: int = 0) -> list[Tensor]:
    """Return tensors of the published shapes in the file's order; the pooling is ``pool`` wide."""
    generator = torch.Generator().manual_seed(seed)

    def conv(outside: int, inside: int, size: int) -> list[Tensor]:
        fan = inside * size * size
        weight = torch.randn(outside, inside, size, size, generator=generator) / fan**0.5
        return [weight, 0.1 * torch.randn(1, outside, 1, 1, generator=generator)]

    def sloped(outside: int, inside: int, size: int) -> list[Tensor]:
        return [*conv(outside, inside, size), torch.randn(1, generator=generator)]

    tensors = [
        torch.rand(1, 3, 1, 1, generator=generator) / 50,
        torch.randn(1, 3, 1, 1, generator=generator),
        *sloped(64, 3, 3),
        *sloped(64, 1, 3),
    ]
    for channels, inside, outside, _ in BLOCKS:
        tensors += sloped(inside, channels, 1) + sloped(inside, 1, 3) + conv(outside, inside, 1)
        tensors += sloped(outside // 8, outside, 1) + conv(outside, outside // 8, 1)
    tensors += sloped(512, 128, 1) + conv(512, 1, pool)
    return [*tensors, torch.randn(256, 512, 1, 1, generator=generator) / 20]


def run_published(tensors: list[Tensor], pictures: Tensor) -> Tensor:
    """Return what the published network says of BGR pictures, tensor after tensor."""
    queue = iter(tensors)

    def conv(x: Tensor, stride: int = 1, padding: int = 0, groups: int = 1) -> Tensor:
        return F.conv2d(x, next(queue), None, stride, padding, groups=groups) + next(queue)

    def sloped(x: Tensor, stride: int = 1, padding: int = 0, groups: int = 1) -> Tensor:
        return F.prelu(conv(x, stride, padding, groups), next(queue))

    x = pictures * next(queue) + next(queue)
    x = sloped(x, 2, 1)
    x = sloped(x, 1, 1, 64)
    for channels, inside, outside, stride in BLOCKS:
        y = conv(sloped(sloped(x), stride, 1, inside))
        y = y * torch.sigmoid(conv(sloped(F.adaptive_avg_pool2d(y, 1))))
        x = x + y if stride == 1 and channels == outside else y
    x = conv(sloped(x), groups=512)
    return F.conv2d(x, next(queue)).flatten(1)


class _Holder(nn.Module):
    def __init__(self, tensors: list[Tensor]) -> None:
        super().__init__()
        for number, tensor in enumerate(tensors):
            self.register_buffer(f"p{number}", tensor)

    def forward(self, pictures: Tensor) -> Tensor:
        return pictures


def write_published(path: Path, tensors: list[Tensor]) -> Path:
    """Save the tensors as the published file does: named by their number, as TorchScript."""
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.jit.script(_Holder(tensors)).save(str(path))
    return path
