"""One step of a metric-learning run: scaled gradients, cut, stepped at the scheduled rate."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from training.engines.gradients import NonFiniteGradientError
from training.engines.schedule import learning_rate_factor
from training.recipes.metric_recipe import MetricOptimiserRecipe


class MetricOptimiser:
    """Adam, AdamW or SGD over a network and the loss's own weights.

    Only matrices and kernels decay: a decayed scale of a normalisation or a decayed proxy changes
    nothing but the rate at which it learns. ``scaler`` is active with fp16 alone.
    """

    def __init__(
        self,
        network: nn.Module,
        loss_weights: Iterable[nn.Parameter],
        loss_rate_factor: float,
        recipe: MetricOptimiserRecipe,
        scaler: torch.amp.GradScaler,
    ) -> None:
        self.recipe, self.scaler = recipe, scaler
        trained = [p for p in network.parameters() if p.requires_grad]
        own = [*loss_weights]
        groups = [
            ([p for p in trained if p.ndim > 1], recipe.weight_decay, 1.0),
            ([p for p in trained if p.ndim <= 1], 0.0, 1.0),
            (own, 0.0, loss_rate_factor),
        ]
        listed = [
            {"params": params, "weight_decay": decay, "factor": factor, "lr": recipe.learning_rate}
            for params, decay, factor in groups
            if params
        ]
        self.weights: list[nn.Parameter] = [*trained, *own]
        self.optimiser: torch.optim.Optimizer
        if recipe.name == "sgd":
            self.optimiser = torch.optim.SGD(listed, momentum=recipe.momentum)
        elif recipe.name == "adam":
            self.optimiser = torch.optim.Adam(listed)
        else:
            self.optimiser = torch.optim.AdamW(listed)

    def step(self, loss: Tensor, progress: float) -> dict[str, float]:
        """Go one step down; returns the gradient's norm before cutting and the rate.

        Raises ``NonFiniteGradientError`` where the norm is no number. With fp16 that is how the
        scaler finds its scale: such a step is left out, and only a scale that has sunk below
        1e-4 says that the gradients themselves are broken.
        """
        self.scaler.scale(loss).backward()
        self.scaler.unscale_(self.optimiser)
        gradients = [p.grad for p in self.weights if p.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients)
        finite = bool(norm.isfinite())
        if not finite and (not self.scaler.is_enabled() or self.scaler.get_scale() < 1e-4):
            self.optimiser.zero_grad(set_to_none=True)
            raise NonFiniteGradientError(f"the gradient's norm is {float(norm)}")
        if self.recipe.clip_norm is not None and finite:
            torch.nn.utils.clip_grads_with_norm_(self.weights, self.recipe.clip_norm, norm)
        factor = learning_rate_factor(progress, self.recipe.warmup_fraction)
        for group in self.optimiser.param_groups:
            group["lr"] = self.recipe.learning_rate * factor * group["factor"]
        self.scaler.step(self.optimiser)
        self.scaler.update()
        self.optimiser.zero_grad(set_to_none=True)
        return {"gradient": float(norm), "rate": self.recipe.learning_rate * factor}

    def state(self) -> dict[str, object]:
        """Return what a checkpoint must keep."""
        return {"optimiser": self.optimiser.state_dict(), "scaler": self.scaler.state_dict()}

    def restore(self, state: dict[str, dict[str, object]]) -> None:
        """Take up the state of a checkpoint."""
        self.optimiser.load_state_dict(state["optimiser"])
        self.scaler.load_state_dict(state["scaler"])
