"""A moving average of a network's weights, which generalises better than the last ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

if TYPE_CHECKING:
    from torch import Tensor, nn


class MovingAverage:
    """Weights as torch's exponential average; counters and running statistics as they are.

    The decay is ``(1 + n) / (10 + n)`` until that exceeds ``decay``, so that the random weights of
    the beginning are forgotten at once.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay, self.updates = decay, 0
        self._average = AveragedModel(network, multi_avg_fn=self._take_in)
        # The average begins with the network as it is; at 0 torch would replace it by the weights
        # after the first step.
        self._average.n_averaged.fill_(1)
        self.network = self._average.module.requires_grad_(False).eval()

    def update(self, network: nn.Module) -> None:
        """Take in the weights after one more step."""
        self.updates += 1
        self._average.update_parameters(network)

    def _take_in(
        self,
        means: tuple[Tensor, ...] | list[Tensor],
        weights: tuple[Tensor, ...] | list[Tensor],
        _count: Tensor | int,
    ) -> None:
        """Move ``means`` towards ``weights``; by our own count, for torch's lies on the device."""
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        get_ema_multi_avg_fn(decay)(means, weights, self.updates)
