"""Seeded random numbers on the device of the pictures."""

from __future__ import annotations

import torch
from torch import Tensor


class Randomness:
    """One generator, asked for what augmentations need."""

    def __init__(self, seed: int, device: torch.device) -> None:
        self.device = device
        self.generator = torch.Generator(device).manual_seed(seed)

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """Return numbers between ``low`` and ``high``."""
        numbers = torch.rand(*shape, generator=self.generator, device=self.device)
        return low + (high - low) * numbers

    def normal(self, *shape: int) -> Tensor:
        """Return standard normal numbers."""
        return torch.randn(*shape, generator=self.generator, device=self.device)

    def chosen(self, count: int, probability: float) -> Tensor:
        """Return the row numbers, of ``count``, that come up with ``probability``."""
        drawn = torch.rand(count, generator=self.generator, device=self.device) < probability
        return torch.nonzero(drawn).flatten()

    def permutation(self, count: int) -> Tensor:
        """Return the numbers below ``count`` in random order."""
        return torch.randperm(count, generator=self.generator, device=self.device)
