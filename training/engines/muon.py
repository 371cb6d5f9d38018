"""Muon for convolutions, and in fp32: torch's own takes matrices only and works in bfloat16."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from training.foundation.precision import Precision


def convolution_muon(
    weights: Sequence[nn.Parameter], learning_rate: float, decay: float, precision: Precision
) -> torch.optim.Optimizer:
    """Return ``torch.optim.Muon`` (Jordan 2024) over matrix views of convolution weights.

    A view ``(out, in * k * k)`` shares its storage with the weight, so that stepping the view steps
    the weight; a step begins by showing it the weight's gradient. The weights must be contiguous.
    """
    matrices = [nn.Parameter(w.detach().view(w.shape[0], -1)) for w in weights]

    def view_gradients(*_: object) -> None:
        for weight, matrix in zip(weights, matrices, strict=True):
            matrix.grad = None if weight.grad is None else weight.grad.reshape(matrix.shape)

    kind = FullPrecisionMuon if precision is Precision.FP32 else torch.optim.Muon
    muon = kind(matrices, lr=learning_rate, weight_decay=decay, momentum=0.95)
    muon.register_step_pre_hook(view_gradients)
    return muon


class FullPrecisionMuon(torch.optim.Muon):
    """``torch.optim.Muon`` with Nesterov momentum (Jordan 2024) whose every product is in fp32.

    Where a CPU emulates bfloat16 the products of torch's take longer than the rest of a step. State
    and settings are torch's own, so that a checkpoint fits both.
    """

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        """Take one step; a ``closure`` is refused, for no run has one."""
        if closure is not None:
            raise ValueError("a run calculates its gradients itself")
        for group in self.param_groups:
            rate, momentum = group["lr"], group["momentum"]
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if "momentum_buffer" not in state:
                    state["momentum_buffer"] = torch.zeros_like(weight)
                buffer = state["momentum_buffer"].lerp_(weight.grad, 1 - momentum)
                update = orthogonalised(
                    weight.grad.lerp(buffer, momentum),
                    group["ns_coefficients"],
                    group["ns_steps"],
                    group["eps"],
                )
                rows, columns = weight.shape
                weight.mul_(1 - rate * group["weight_decay"])
                weight.add_(update, alpha=-rate * max(1.0, rows / columns) ** 0.5)


def orthogonalised(
    matrix: Tensor, coefficients: tuple[float, float, float], steps: int, smallest_norm: float
) -> Tensor:
    """Return ``matrix`` ``(R, C)`` with singular values near 1, by Newton-Schulz iterations.

    The quintic is Jordan's: it ends between about 0.7 and 1.2, which does as well as 1 and takes
    five steps instead of ten.
    """
    linear, cubic, quintic = coefficients
    tall = matrix.shape[0] > matrix.shape[1]
    found = matrix.T if tall else matrix
    found = found / found.norm().clamp(min=smallest_norm)
    for _ in range(steps):
        gram = found @ found.T
        found = torch.addmm(
            found,
            torch.addmm(gram, gram, gram, beta=cubic, alpha=quintic),
            found,
            beta=linear,
        )
    return found.T if tall else found
