"""The optimisers of a distillation: Muon beside AdamW, or AdamW relative to each weight."""

from __future__ import annotations

from typing import Protocol, cast

import torch
from torch import Tensor, nn

from training.engines.muon import FullPrecisionMuon
from training.foundation.precision import Precision
from training.recipes.recipe import OptimiserRecipe

SMALLEST_SIZE = 1e-3  # of a tensor's root mean square, so that zeros can move


class ConvolutionMuon:
    """``torch.optim.Muon`` (Jordan 2024) over matrix views of convolution weights.

    Muon takes matrices only; a view ``(out, in * k * k)`` shares its storage with the weight, so
    that stepping the view steps the weight. The weights must be contiguous.
    """

    def __init__(
        self,
        weights: list[nn.Parameter],
        learning_rate: float,
        decay: float,
        precision: Precision,
    ) -> None:
        self.weights = weights
        self.matrices = [nn.Parameter(w.detach().view(w.shape[0], -1)) for w in weights]
        kind = FullPrecisionMuon if precision is Precision.FP32 else torch.optim.Muon
        self.optimiser = kind(self.matrices, lr=learning_rate, weight_decay=decay, momentum=0.95)

    def step(self) -> None:
        """Take one step with the gradients of the weights."""
        for weight, matrix in zip(self.weights, self.matrices, strict=True):
            matrix.grad = None if weight.grad is None else weight.grad.reshape(matrix.shape)
        self.optimiser.step()


class Optimiser(Protocol):
    """What a run needs of its optimiser, whichever the recipe names."""

    def step(self, factor: float) -> None:
        """Take one step at ``factor`` times the recipe's learning rates and clear the gradients."""
        ...

    def state(self) -> dict[str, object]:
        """Return what a checkpoint must keep."""
        ...

    def restore(self, state: dict[str, dict[str, object]]) -> None:
        """Take up the state of a checkpoint."""
        ...


def make_optimiser(
    network: nn.Module, others: list[Tensor], recipe: OptimiserRecipe, precision: Precision
) -> Optimiser:
    """Return the recipe's optimiser for the weights of ``network`` and of the heads ``others``."""
    if recipe.name == "relative-adamw":
        return RelativeAdamW(network, others, recipe)
    return MuonBesideAdamW(network, others, recipe, precision)


class RelativeAdamW:
    """AdamW whose step for each tensor is relative to the tensor's size at the start.

    Weights with folded normalisation differ in size by a factor of a thousand, and one learning
    rate would be nothing to some and ruin others (You et al. 2020 scale so at every step).
    """

    def __init__(self, network: nn.Module, others: list[Tensor], recipe: OptimiserRecipe) -> None:
        sizes = [(p, float(p.detach().square().mean().sqrt())) for p in network.parameters()]
        relative = recipe.relative_learning_rate
        self.rates = [relative * max(size, SMALLEST_SIZE) for _, size in sizes]
        self.rates += [recipe.adamw_learning_rate for _ in others]
        weights: list[Tensor] = [*(p for p, _ in sizes), *others]
        self.adamw = torch.optim.AdamW(
            [{"params": [weight]} for weight in weights],
            betas=(0.9, 0.99),
            weight_decay=recipe.weight_decay,
        )

    def step(self, factor: float) -> None:
        """Take one step at ``factor`` times the learning rates and clear the gradients."""
        for group, rate in zip(self.adamw.param_groups, self.rates, strict=True):
            group["lr"] = rate * factor
        self.adamw.step()
        self.adamw.zero_grad(set_to_none=True)

    def state(self) -> dict[str, object]:
        """Return what a checkpoint must keep."""
        return {"adamw": self.adamw.state_dict(), "rates": {"base": self.rates}}

    def restore(self, state: dict[str, dict[str, object]]) -> None:
        """Take up the state of a checkpoint, with the rates of the weights it started from."""
        self.adamw.load_state_dict(state["adamw"])
        self.rates = [float(rate) for rate in cast(list[float], state["rates"]["base"])]


class MuonBesideAdamW:
    """Muon for convolutions and AdamW for the rest, behind one learning-rate factor."""

    def __init__(
        self,
        network: nn.Module,
        others: list[Tensor],
        recipe: OptimiserRecipe,
        precision: Precision,
    ) -> None:
        convolutions = [
            weight
            for module in network.modules()
            if isinstance(module, nn.Conv2d) and module.groups == 1
            for weight in module.parameters()
        ]
        taken = {id(weight) for weight in convolutions}
        rest: list[Tensor] = [p for p in network.parameters() if id(p) not in taken]
        decay = recipe.weight_decay
        self.muon = ConvolutionMuon(convolutions, recipe.muon_learning_rate, decay, precision)
        self.adamw = torch.optim.AdamW(
            [*rest, *others], lr=recipe.adamw_learning_rate, weight_decay=decay
        )
        self.base = (recipe.muon_learning_rate, recipe.adamw_learning_rate)

    def step(self, factor: float) -> None:
        """Take one step at ``factor`` times the recipe's learning rates and clear the gradients."""
        pairs = ((self.muon.optimiser, self.base[0]), (self.adamw, self.base[1]))
        for optimiser, base in pairs:
            for group in optimiser.param_groups:
                group["lr"] = base * factor
        self.muon.step()
        self.adamw.step()
        self.adamw.zero_grad(set_to_none=True)
        for weight in self.muon.weights:
            weight.grad = None

    def state(self) -> dict[str, object]:
        """Return what a checkpoint must keep."""
        return {"muon": self.muon.optimiser.state_dict(), "adamw": self.adamw.state_dict()}

    def restore(self, state: dict[str, dict[str, object]]) -> None:
        """Take up the state of a checkpoint."""
        self.muon.optimiser.load_state_dict(state["muon"])
        self.adamw.load_state_dict(state["adamw"])
