"""What moves the weights: one optimiser for every run, three ways to set it up, and their average.

Each of a recipe's optimisers is made here of torch's own, stepped at a scheduled factor of the rate
that each group of weights has.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from training.engines.muon import convolution_muon
from training.foundation.precision import Precision
from training.recipes.metric_recipe import MetricOptimiserRecipe
from training.recipes.recipe import OptimiserRecipe

SMALLEST_SIZE = 1e-3  # of a tensor's root mean square, so that zeros can move
#: Below this scale of an fp16 run it is the gradients themselves that overflow.
SMALLEST_SCALE = 1e-4


class NonFiniteGradientError(ArithmeticError):
    """A gradient is NaN or infinite; nothing was stepped."""


class Optimiser:
    """Torch optimisers that are stepped together; gradients are scaled for fp16 and clipped.

    A group's ``initial_lr`` is its rate at factor 1, and ``lr_factor`` what else multiplies it.
    """

    def __init__(
        self,
        parts: Sequence[torch.optim.Optimizer],
        weights: Sequence[nn.Parameter],
        *,
        warmup_fraction: float,
        clip_norm: float | None,
        scaler: torch.amp.GradScaler | None = None,
    ) -> None:
        self.parts, self.weights = tuple(parts), list(weights)
        self.warmup_fraction, self.clip_norm = warmup_fraction, clip_norm
        self.scaler = scaler or torch.amp.GradScaler("cpu", enabled=False)
        for part in self.parts:
            for group in part.param_groups:
                group.setdefault("initial_lr", group["lr"])

    def step(self, loss: Tensor, progress: float) -> dict[str, float]:
        """Go one step down at the rate of ``progress`` in 0..1.

        Returns the gradient's norm before clipping and the first group's rate. Raises
        ``NonFiniteGradientError`` where the norm is NaN or infinite. With fp16 that is how the
        scaler finds its scale: such a step is left out.
        """
        self.scaler.scale(loss).backward()
        for part in self.parts:
            self.scaler.unscale_(part)
        norm = torch.nn.utils.get_total_norm([w.grad for w in self.weights if w.grad is not None])
        finite = bool(norm.isfinite())
        scaled = self.scaler.is_enabled() and self.scaler.get_scale() >= SMALLEST_SCALE
        if not finite and not scaled:
            self._clear()
            raise NonFiniteGradientError(f"the gradient's norm is {float(norm)}")
        if finite and self.clip_norm is not None:
            torch.nn.utils.clip_grads_with_norm_(self.weights, self.clip_norm, norm)
        factor = learning_rate_factor(progress, self.warmup_fraction)
        for part in self.parts:
            for group in part.param_groups:
                group["lr"] = group["initial_lr"] * factor * group.get("lr_factor", 1.0)
            self.scaler.step(part)
        self.scaler.update()
        self._clear()
        return {"gradient_norm": float(norm), "learning_rate": self.parts[0].param_groups[0]["lr"]}

    def _clear(self) -> None:
        for weight in self.weights:
            weight.grad = None

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint must keep."""
        parts = [part.state_dict() for part in self.parts]
        return {"parts": parts, "scaler": self.scaler.state_dict()}

    def restore(self, state: dict[str, Any]) -> None:
        """Take up the state of a checkpoint, with the rates of the weights that it started from."""
        for part, kept in zip(self.parts, state["parts"], strict=True):
            part.load_state_dict(kept)
        self.scaler.load_state_dict(state["scaler"])


def learning_rate_factor(progress: float, warmup_fraction: float) -> float:
    """Return the factor at ``progress`` in 0..1: linear warm-up, then half a cosine to zero."""
    if progress < warmup_fraction:
        return max(progress, 1e-3) / warmup_fraction
    done = (progress - warmup_fraction) / (1 - warmup_fraction)
    return 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))


def distillation_optimiser(
    network: nn.Module,
    heads: nn.Module,
    recipe: OptimiserRecipe,
    clip_norm: float | None,
    precision: Precision,
) -> Optimiser:
    """Return the optimiser of a distillation's recipe for a student and the teachers' heads."""
    relative = recipe.name == "relative-adamw"
    return Optimiser(
        [_relative_adamw(network, heads, recipe)]
        if relative
        else _muon_beside_adamw(network, heads, recipe, precision),
        [*network.parameters(), *heads.parameters()],
        warmup_fraction=recipe.warmup_fraction,
        clip_norm=clip_norm,
    )


def _relative_adamw(
    network: nn.Module, heads: nn.Module, recipe: OptimiserRecipe
) -> torch.optim.Optimizer:
    """Return AdamW whose step for each tensor is relative to the tensor's size at the start.

    Weights with folded normalisation differ in size by a factor of a thousand, and one learning
    rate would be nothing to some and ruin others (You et al. 2020 scale so at every step).
    """
    sizes = [(p, float(p.detach().square().mean().sqrt())) for p in network.parameters()]
    rates = [(p, recipe.relative_learning_rate * max(size, SMALLEST_SIZE)) for p, size in sizes]
    rates += [(p, recipe.adamw_learning_rate) for p in heads.parameters()]
    groups = [{"params": [weight], "lr": rate} for weight, rate in rates]
    return torch.optim.AdamW(groups, betas=(0.9, 0.99), weight_decay=recipe.weight_decay)


def _muon_beside_adamw(
    network: nn.Module, heads: nn.Module, recipe: OptimiserRecipe, precision: Precision
) -> list[torch.optim.Optimizer]:
    """Return Muon for convolutions and AdamW for the rest."""
    convolutions = [
        weight
        for module in network.modules()
        if isinstance(module, nn.Conv2d) and module.groups == 1
        for weight in module.parameters()
    ]
    taken = {id(weight) for weight in convolutions}
    rest = [p for p in network.parameters() if id(p) not in taken]
    decay = recipe.weight_decay
    return [
        convolution_muon(convolutions, recipe.muon_learning_rate, decay, precision),
        torch.optim.AdamW(
            [*rest, *heads.parameters()], lr=recipe.adamw_learning_rate, weight_decay=decay
        ),
    ]


def metric_optimiser(
    network: nn.Module,
    loss: nn.Module,
    loss_factor: float,
    recipe: MetricOptimiserRecipe,
    scaler: torch.amp.GradScaler,
) -> Optimiser:
    """Return Adam, AdamW or SGD over a network and the loss's own weights.

    Only matrices and kernels decay: a decayed scale of a normalisation or a decayed proxy changes
    nothing but the rate at which it learns. ``scaler`` is active with fp16 alone.
    """
    trained = [p for p in network.parameters() if p.requires_grad]
    own = [*loss.parameters()]
    groups = [
        {"params": params, "weight_decay": decay, "lr_factor": factor, "lr": recipe.learning_rate}
        for params, decay, factor in (
            ([p for p in trained if p.ndim > 1], recipe.weight_decay, 1.0),
            ([p for p in trained if p.ndim <= 1], 0.0, 1.0),
            (own, 0.0, loss_factor),
        )
        if params
    ]
    part: torch.optim.Optimizer
    if recipe.name == "sgd":
        part = torch.optim.SGD(groups, momentum=recipe.momentum)
    elif recipe.name == "adam":
        part = torch.optim.Adam(groups)
    else:
        part = torch.optim.AdamW(groups)
    return Optimiser(
        [part],
        [*trained, *own],
        warmup_fraction=recipe.warmup_fraction,
        clip_norm=recipe.clip_norm,
        scaler=scaler,
    )


class MovingAverage:
    """Weights as torch's exponential average; counters and running statistics as they are.

    The decay is ``(1 + n) / (10 + n)`` until that exceeds ``decay``, so that the random weights of
    the beginning are forgotten at once.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay, self.updates = decay, 0
        self._average = AveragedModel(network, multi_avg_fn=self._lerp)
        # The average begins with the network as it is; at 0 torch would replace it by the weights
        # after the first step.
        self._average.n_averaged.fill_(1)
        self.network = self._average.module.requires_grad_(False).eval()

    def update(self, network: nn.Module) -> None:
        """Take in the weights after one more step."""
        self.updates += 1
        self._average.update_parameters(network)

    def _lerp(
        self,
        means: tuple[Tensor, ...] | list[Tensor],
        weights: tuple[Tensor, ...] | list[Tensor],
        _count: Tensor | int,
    ) -> None:
        """Move ``means`` towards ``weights``; by our own count, for torch's lies on the device."""
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        get_ema_multi_avg_fn(decay)(means, weights, self.updates)
