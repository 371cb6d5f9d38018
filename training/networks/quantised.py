"""Large weight matrices stored as one byte a weight, as their publisher stored them.

Every block of a row has 256 evenly spaced levels. A matrix that was stored so before, with blocks
of the same length, comes out as it went in; the file has half the bytes of fp16. Nothing is
computed in bytes: loading a frozen module makes plain matrices of them once.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LEVELS = 255
MIN_WEIGHTS = 1 << 18


class QuantisedMatrix(nn.Module):
    """The weights of a matrix ``(rows, columns)``, in blocks of ``block`` columns."""

    def __init__(self, matrix: Tensor, block: int) -> None:
        """Round each weight to the nearest level; ``block`` has to divide the columns."""
        super().__init__()
        rows, columns = matrix.shape
        if columns % block:
            raise ValueError(f"{columns} columns are no whole blocks of {block}")
        blocks = matrix.detach().float().reshape(rows, columns // block, block)
        low = blocks.amin(dim=2, keepdim=True)
        step = (blocks.amax(dim=2, keepdim=True) - low) / LEVELS
        codes = torch.where(step > 0, (blocks - low) / step, torch.zeros(()))
        self.codes = nn.Buffer(codes.round().to(torch.uint8))
        self.low = nn.Buffer(low)
        self.step = nn.Buffer(step)
        self.rows, self.columns = rows, columns

    def forward(self) -> Tensor:
        """Return the matrix in fp32, ``(rows, columns)``."""
        blocks = self.codes.float() * self.step.float() + self.low.float()
        return blocks.reshape(self.rows, self.columns)


class QuantisedLinear(nn.Module):
    """A linear layer whose weights are stored as bytes."""

    def __init__(self, layer: nn.Linear, block: int) -> None:
        super().__init__()
        self.matrix = QuantisedMatrix(layer.weight, block)
        self.bias = nn.Buffer(_bias(layer.bias, layer.out_features))

    def forward(self, inputs: Tensor) -> Tensor:
        """Return outputs ``(N, rows)`` of inputs ``(N, columns)``."""
        return F.linear(inputs, self.matrix(), self.bias)


class QuantisedPointwise(nn.Module):
    """A convolution of one pixel whose weights are stored as bytes."""

    def __init__(self, layer: nn.Conv2d, block: int) -> None:
        super().__init__()
        self.matrix = QuantisedMatrix(layer.weight.flatten(1), block)
        self.bias = nn.Buffer(_bias(layer.bias, layer.out_channels))

    def forward(self, features: Tensor) -> Tensor:
        """Return features ``(N, rows, H, W)`` of features ``(N, columns, H, W)``."""
        return F.conv2d(features, self.matrix()[:, :, None, None], self.bias)


def quantise_large(network: nn.Sequential, block: int = 64) -> nn.Sequential:
    """Return the chain with its large linear and one-pixel layers stored as bytes."""
    return nn.Sequential(*(_quantised(layer, block) for layer in network)).eval()


def _quantised(layer: nn.Module, block: int) -> nn.Module:
    if isinstance(layer, nn.Linear):
        fits = layer.in_features % block == 0
        return QuantisedLinear(layer, block) if fits and _is_large(layer.weight) else layer
    if isinstance(layer, nn.Conv2d) and _is_pointwise(layer):
        fits = layer.in_channels % block == 0
        return QuantisedPointwise(layer, block) if fits and _is_large(layer.weight) else layer
    return layer


def _is_pointwise(layer: nn.Conv2d) -> bool:
    plain = layer.padding in {(0, 0), "valid"} and layer.stride == (1, 1)
    return layer.kernel_size == (1, 1) and layer.groups == 1 and plain


def _is_large(weights: Tensor) -> bool:
    return weights.numel() >= MIN_WEIGHTS


def _bias(bias: Tensor | None, size: int) -> Tensor:
    return torch.zeros(size) if bias is None else bias.detach().float()
