"""A moving average of a network's weights, which generalises better than the last ones."""

from __future__ import annotations

import copy

import torch
from torch import nn


class MovingAverage:
    """Weights as an exponential average; counters and running statistics as they are.

    The decay is ``(1 + n) / (10 + n)`` until that exceeds ``decay``, so that the random weights of
    the beginning are forgotten at once.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network = copy.deepcopy(network).requires_grad_(False).eval()
        self.decay, self.updates = decay, 0

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Take in the weights after one more step."""
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        for mean, weight in zip(self.network.parameters(), network.parameters(), strict=True):
            mean.lerp_(weight.detach(), 1 - decay)
        for kept, buffer in zip(self.network.buffers(), network.buffers(), strict=True):
            kept.copy_(buffer)
