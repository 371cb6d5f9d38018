"""A run of similarity learning, read from top to bottom; resumed, it ends bit for bit the same."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from training.augment.generic import augment_generic
from training.augment.randomness import Randomness
from training.data.batches import BatchSource
from training.data.learning_data import LearningData, check_learnable
from training.engines.divergence import name_diverged
from training.engines.gradients import NonFiniteGradientError
from training.engines.metric_optimiser import MetricOptimiser
from training.engines.moving_average import MovingAverage
from training.engines.run_folder import RunFolder
from training.foundation.checkpoints import load_checkpoint, require_same_precision
from training.foundation.environment import fingerprint
from training.foundation.errors import CheckpointError, DataError, TrainingDivergedError
from training.foundation.precision import Precision
from training.losses.metric import make_loss
from training.losses.teacher import teacher_term
from training.networks.backbones import make_backbone
from training.recipes.metric_recipe import MetricRecipe

Validation = Callable[[nn.Module], float]
Targets = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class LearningOptions:
    """Where a run happens. ``stop_after`` ends it early, as an interruption would: unsaved."""

    folder: RunFolder
    device: torch.device
    resume: bool = False
    stop_after: int | None = None


class LearningRun:
    """Everything that a run changes as it goes, and that a checkpoint therefore keeps.

    ``validate`` gives the number that should rise (R@1); ``targets`` the teacher's embeddings
    ``(B, T)`` of some rows. Raises ``DataError`` where the recipe asks what the data or the machine
    cannot give, and ``CheckpointError`` where a checkpoint is not of this run.
    """

    def __init__(
        self,
        recipe: MetricRecipe,
        data: LearningData,
        batches: BatchSource,
        options: LearningOptions,
        validate: Validation | None = None,
        targets: Targets | None = None,
    ) -> None:
        recipe = recipe.on(options.device)
        check_learnable(data, recipe)
        _check_whole(recipe, validate, targets)
        torch.manual_seed(recipe.seed)
        self.recipe, self.data, self.batches, self.options = recipe, data, batches, options
        self.validate, self.targets = validate, targets
        self.network = make_backbone(recipe.backbone).to(options.device)
        self.loss = make_loss(
            recipe.loss, recipe.backbone.embedding_dim, data.classes, recipe.miner
        ).to(options.device)
        self.precision = Precision(recipe.precision)
        scaler = torch.amp.GradScaler(options.device.type, enabled=self.precision is Precision.FP16)
        factor = getattr(recipe.loss, "learning_rate_factor", 1.0)
        self.optimiser = MetricOptimiser(
            self.network, self.loss.parameters(), factor, recipe.optimiser, scaler
        )
        decay = recipe.ema_decay
        self.average = None if decay is None else MovingAverage(self.network, decay)
        self.augmenting = Randomness(recipe.seed + 1, options.device)
        self.fingerprint = fingerprint(data.images, data.labels)
        self.step_number, self.best_score, self.best_step = 0, -math.inf, 0
        if options.resume:
            self.restore(load_checkpoint(options.folder.checkpoint, options.device, HOLDING))

    @property
    def judged(self) -> nn.Module:
        """The network to judge and to ship: the moving average where there is one."""
        return self.network if self.average is None else self.average.network

    @property
    def finished(self) -> bool:
        """Whether all steps are done, or ``patience`` evaluations brought nothing better."""
        recipe = self.recipe
        if self.step_number >= recipe.steps:
            return True
        waited = self.step_number - self.best_step
        return recipe.patience is not None and waited >= recipe.patience * recipe.evaluate_every

    def step(self) -> dict[str, float]:
        """Learn from one batch and return its loss terms, the gradient's norm and the rate."""
        recipe, device = self.recipe, self.options.device
        batch = self.batches.draw()
        rows = batch.rows
        images = augment_generic(self.data.images[rows].to(device), recipe.augment, self.augmenting)
        with self.precision.on(device):
            embeddings = self.network(images)
        embeddings = embeddings.float()
        labels = self.data.labels[rows].to(device)
        terms = {"metric": self.loss(embeddings, labels, batch.drawn)}
        if recipe.teacher is not None and self.targets is not None:
            wanted = self.targets(rows).to(device)
            term = teacher_term(recipe.teacher.kind, embeddings, wanted)
            terms["teacher"] = recipe.teacher.weight * term
        loss = torch.stack([*terms.values()]).sum()
        if not bool(loss.detach().isfinite()):
            raise self._diverged(f"the loss is {float(loss.detach())}", rows, embeddings)
        try:
            told = self.optimiser.step(loss, self.step_number / recipe.steps)
        except NonFiniteGradientError as error:
            raise self._diverged(str(error), rows, embeddings) from error
        if self.average is not None:
            self.average.update(self.network)
        self.step_number += 1
        return {name: float(term.detach()) for name, term in terms.items()} | told

    def _diverged(self, what: str, rows: Tensor, embeddings: Tensor) -> TrainingDivergedError:
        keys, folder = self.data.keys, self.options.folder
        return name_diverged(what, self.step_number, rows, keys, embeddings, folder)

    def judge(self) -> float:
        """Validate the judged network; nothing that learns notices."""
        if self.validate is None:
            return math.nan
        with torch.random.fork_rng(enabled=True):
            return self.validate(self.judged)

    def state(self) -> dict[str, Any]:
        """Return all that the rest of the run depends on."""
        random = {"cpu": torch.get_rng_state(), "augmenting": self.augmenting.generator.get_state()}
        if self.options.device.type == "cuda":
            random["cuda"] = torch.cuda.get_rng_state(self.options.device)
        average = self.average
        return {
            "recipe": self.recipe.model_dump(mode="json"),
            "fingerprint": self.fingerprint,
            "network": self.network.state_dict(),
            "loss": self.loss.state_dict(),
            "optimiser": self.optimiser.state(),
            "average": None if average is None else average.network.state_dict(),
            "updates": 0 if average is None else average.updates,
            "batches": self.batches.state(),
            "random": random,
            "step_number": self.step_number,
            "best_score": self.best_score,
            "best_step": self.best_step,
        }

    def weights(self) -> dict[str, Any]:
        """Return what it takes to use the judged network."""
        return {
            "recipe": self.recipe.model_dump(mode="json"),
            "network": self.judged.state_dict(),
            "step_number": self.step_number,
            "score": self.best_score,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a checkpoint of this very recipe and data."""
        kept = MetricRecipe.model_validate(state["recipe"])
        require_same_precision(kept.precision, self.precision)
        if kept != self.recipe:
            raise CheckpointError("the checkpoint was made by another recipe")
        if state["fingerprint"] != self.fingerprint:
            raise CheckpointError("the checkpoint was made with other data")
        self.network.load_state_dict(state["network"])
        self.loss.load_state_dict(state["loss"])
        self.optimiser.restore(state["optimiser"])
        if self.average is not None:
            self.average.network.load_state_dict(state["average"])
            self.average.updates = state["updates"]
        self.batches.restore(state["batches"].cpu())
        torch.set_rng_state(state["random"]["cpu"].cpu())
        self.augmenting.generator.set_state(state["random"]["augmenting"].cpu())
        if "cuda" in state["random"]:
            torch.cuda.set_rng_state(state["random"]["cuda"].cpu(), self.options.device)
        self.step_number = state["step_number"]
        self.best_score, self.best_step = state["best_score"], state["best_step"]


HOLDING = ("network", "recipe", "fingerprint")


def _check_whole(
    recipe: MetricRecipe, validate: Validation | None, targets: Targets | None
) -> None:
    if recipe.patience is not None and validate is None:
        raise DataError("patience needs a validation part to watch")
    if (recipe.teacher is None) != (targets is None):
        raise DataError("a recipe with a teacher, and no other, needs its embeddings")
