"""What gives a run its batches, and the simplest such source: identities as they come."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor


class BatchSource(Protocol):
    """Draws the rows of one batch after another; its state can be put away and taken up again."""

    def draw(self) -> Tensor:
        """Return the row numbers of the next batch, int64 ``(B,)``."""
        ...

    def state(self) -> Tensor:
        """Return all that the next batches depend on, for a checkpoint."""
        ...

    def restore(self, state: Tensor, /) -> None:
        """Go on exactly where ``state``, on the CPU, was taken."""
        ...


class ShuffledBatches:
    """Every row once in a random order, then all again in another; no batch is a smaller one."""

    def __init__(self, count: int, batch_size: int, seed: int) -> None:
        self.count, self.batch_size, self.seed = count, min(batch_size, count), seed
        self.drawn = 0

    def draw(self) -> Tensor:
        """Return the next rows, ``(batch_size,)``; they may be of two rounds."""
        round_number, place = divmod(self.drawn, self.count)
        rows = self._order(round_number)[place : place + self.batch_size]
        missing = self.batch_size - len(rows)
        if missing:
            rows = torch.cat([rows, self._order(round_number + 1)[:missing]])
        self.drawn += self.batch_size
        return rows

    def _order(self, round_number: int) -> Tensor:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + round_number)
        return torch.randperm(self.count, generator=generator)

    def state(self) -> Tensor:
        """Return how many rows were drawn; every round's order follows from the seed."""
        return torch.tensor(self.drawn)

    def restore(self, state: Tensor, /) -> None:
        """Go on where ``state`` was taken."""
        self.drawn = int(state)
