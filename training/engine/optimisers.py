"""Muon for convolution weights seen as matrices, AdamW for everything else."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.recipe import OptimiserRecipe


class ConvolutionMuon:
    """``torch.optim.Muon`` (Jordan 2024) over matrix views of convolution weights.

    Muon takes matrices only; a view ``(out, in * k * k)`` shares its storage with the weight, so
    that stepping the view steps the weight. The weights must be contiguous.
    """

    def __init__(self, weights: list[nn.Parameter], learning_rate: float, decay: float) -> None:
        self.weights = weights
        self.matrices = [nn.Parameter(w.detach().view(w.shape[0], -1)) for w in weights]
        self.optimiser = torch.optim.Muon(
            self.matrices, lr=learning_rate, weight_decay=decay, momentum=0.95
        )

    def step(self) -> None:
        """Take one step with the gradients of the weights."""
        for weight, matrix in zip(self.weights, self.matrices, strict=True):
            matrix.grad = None if weight.grad is None else weight.grad.reshape(matrix.shape)
        self.optimiser.step()


class Optimisers:
    """Both optimisers behind one learning-rate factor."""

    def __init__(self, network: nn.Module, others: list[Tensor], recipe: OptimiserRecipe) -> None:
        convolutions = [
            weight
            for module in network.modules()
            if isinstance(module, nn.Conv2d) and module.groups == 1
            for weight in module.parameters()
        ]
        taken = {id(weight) for weight in convolutions}
        rest: list[Tensor] = [p for p in network.parameters() if id(p) not in taken]
        decay = recipe.weight_decay
        self.muon = ConvolutionMuon(convolutions, recipe.muon_learning_rate, decay)
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
