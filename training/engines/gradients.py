"""Gradients before they are stepped: none but numbers, and cut where they are too long."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn


class NonFiniteGradientError(ArithmeticError):
    """A gradient is no number; nothing was stepped."""


def cut_gradients(weights: Sequence[nn.Parameter], clip_norm: float | None) -> float:
    """Return the norm of all gradients together, which then are cut to ``clip_norm``.

    Raises ``NonFiniteGradientError`` where one is no number.
    """
    norm = torch.nn.utils.get_total_norm([w.grad for w in weights if w.grad is not None])
    if not bool(norm.isfinite()):
        raise NonFiniteGradientError(f"the gradient's norm is {float(norm)}")
    if clip_norm is not None:
        torch.nn.utils.clip_grads_with_norm_(weights, clip_norm, norm)
    return float(norm)
