"""The one convention for labels of pairs, held by a type: ``same`` is true (1) for one identity.

A loss that thinks 1 means "different" and data that thinks 1 means "same" train backwards without
an error. Here a pair's label is never a bare tensor: every loss and metric of pairs takes
``PairLabels``, which can only be built by saying what is the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class PairLabels:
    """Whether each pair shows one identity, bool ``(N,)``."""

    same: Tensor

    def __post_init__(self) -> None:
        """Raise ``TypeError`` for anything but a flat tensor of bool."""
        if self.same.dtype != torch.bool or self.same.ndim != 1:
            raise TypeError(
                f"same must be bool (N,), not {self.same.dtype} {tuple(self.same.shape)}"
            )

    @staticmethod
    def of_identities(first: Tensor, second: Tensor) -> PairLabels:
        """Return the labels of pairs whose identities, ``(N,)`` each, are known."""
        return PairLabels(first == second)

    def __len__(self) -> int:
        return len(self.same)
