"""One student and several teachers: what a step does, and what a checkpoint keeps."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.augment.geometry import cut_crops
from training.augment.pipeline import augment
from training.augment.randomness import Randomness
from training.data.crops import CropSet
from training.data.sampling import BatchSampler
from training.engines.divergence import name_diverged
from training.engines.exported_weights import load_exported
from training.engines.gradients import NonFiniteGradientError, cut_gradients
from training.engines.moving_average import MovingAverage
from training.engines.optimisers import make_optimiser
from training.engines.run_folder import RunFolder
from training.engines.schedule import learning_rate_factor, resolution_at
from training.engines.targets import CORRECTION, TargetSource, mean_similarity
from training.engines.warm_start import PublishedNetwork, start_from_published
from training.foundation.checkpoints import (
    evaluation_weights,
    load_checkpoint,
    require_same_precision,
    take_weights,
)
from training.foundation.device import EMBEDDED_AT_ONCE
from training.foundation.errors import CheckpointError, TrainingDivergedError
from training.foundation.precision import Precision
from training.losses.distillation import cosine_distillation, similarity_distillation
from training.losses.identity import group_repulsion, supervised_contrastive
from training.networks.students import make_student
from training.recipes.recipe import Recipe
from training.teachers.targets import fill_with_mean


@dataclass(frozen=True)
class RunOptions:
    """Where and how long to train. ``minutes`` ends a run by the clock instead of by steps."""

    folder: Path
    device: torch.device
    minutes: float | None = None
    resume: bool = False
    initial_weights: Path | None = None
    checkpoint_minutes: float = 5.0


class DistillationRun:
    """Everything that a run changes as it goes, and that a checkpoint therefore keeps.

    Raises ``CheckpointError`` where a checkpoint, or the weights to start from, are of another
    network or another run.
    """

    def __init__(
        self, recipe: Recipe, crops: CropSet, targets: TargetSource, options: RunOptions
    ) -> None:
        torch.manual_seed(recipe.seed)
        recipe = recipe.on(options.device)
        self.precision = Precision(recipe.precision)
        self.recipe, self.crops, self.targets, self.options = recipe, crops, targets, options
        self.folder, device = RunFolder(options.folder), options.device
        self.images = near(crops.images, device)
        self.student = make_student(recipe.student).to(device)
        self.heads = nn.ModuleDict(
            {
                name.replace(".", "_"): nn.Linear(recipe.student.embedding_dim, dim)
                for name, dim in targets.dimensions.items()
            }
        ).to(device)
        self.sampling = torch.Generator().manual_seed(recipe.seed)
        self.random = Randomness(recipe.seed + 1, device)
        self.sampler = BatchSampler(crops, recipe.sources, recipe.batch_size, self.sampling)
        self.step_number = 0
        self.elapsed_seconds = 0.0
        self.earlier_runs: list[dict[str, Any]] = []
        if options.initial_weights is not None:
            self._start_from(options.initial_weights)
        elif not options.resume:
            self._start_from_published()
        self.optimisers = make_optimiser(
            self.student, [*self.heads.parameters()], recipe.optimiser, self.precision
        )
        decay = recipe.ema_decay
        self.average = None if decay is None else MovingAverage(self.student, decay)
        if options.resume:
            self._restore(load_checkpoint(self.checkpoint_path, device))

    @property
    def checkpoint_path(self) -> Path:
        """Where this run keeps its state."""
        return self.folder.checkpoint

    @property
    def judged(self) -> nn.Module:
        """The student to judge and to ship: the moving average where there is one."""
        return self.student if self.average is None else self.average.network

    @property
    def progress(self) -> float:
        """How much of the run is done, 0 to 1, by steps or by the clock."""
        if self.options.minutes is not None:
            return min(1.0, self.elapsed_seconds / (60 * self.options.minutes))
        return min(1.0, self.step_number / self.recipe.steps)

    def step(self) -> dict[str, float]:
        """Train on one batch and return its loss terms, the gradient's norm and the pixels.

        Raises ``TrainingDivergedError``, which names the batch, where loss or gradient are none.
        """
        recipe, device = self.recipe, self.options.device
        size = resolution_at(self.progress, recipe.resolution)
        rows = self.sampler.draw()
        with torch.no_grad():
            images = self.images[rows.to(self.images.device)].to(device)
            pictures = augment(images, size, recipe.augment, self.random)
            pictures = pictures.contiguous(memory_format=torch.channels_last)
            targets = self.targets.of(rows, pictures)
        with self.precision.on(device):
            embeddings = self.student(pictures)
        embeddings = embeddings.float()
        terms = self._loss_terms(embeddings, targets, rows)
        loss = torch.stack([*terms.values()]).sum()
        if not math.isfinite(float(loss.detach())):
            raise self._diverged(f"the loss is {float(loss.detach())}", rows, embeddings)
        loss.backward()
        try:
            weights = [*self.student.parameters(), *self.heads.parameters()]
            norm = cut_gradients(weights, recipe.clip_norm)
        except NonFiniteGradientError as error:
            raise self._diverged(str(error), rows, embeddings) from error
        factor = learning_rate_factor(self.progress, recipe.optimiser.warmup_fraction)
        self.optimisers.step(factor)
        if self.average is not None:
            self.average.update(self.student)
        self.step_number += 1
        told = {"gradient": norm, "pixels": size}
        return {name: float(term.detach()) for name, term in terms.items()} | told

    def _diverged(self, what: str, rows: Tensor, embeddings: Tensor) -> TrainingDivergedError:
        files = self.crops.files
        return name_diverged(what, self.step_number, rows, files, embeddings, self.folder)

    def _loss_terms(
        self, embeddings: Tensor, targets: list[Any], rows: Tensor
    ) -> dict[str, Tensor]:
        weights = self.recipe.loss
        terms = {}
        for target in targets:
            name = target.name.replace(".", "_")
            predicted = embeddings if name == CORRECTION else self.heads[name](embeddings)
            terms[target.name] = target.loss_weight * cosine_distillation(
                predicted, target.embeddings
            )
        terms["similarity"] = weights.similarity * similarity_distillation(
            embeddings, mean_similarity(targets)
        )
        device = self.options.device
        if self.recipe.augment.mixup == 0:  # a blend of two faces is nobody that the data knows
            identities = self.crops.identities[rows].to(device)
            terms["identity"] = weights.identity * supervised_contrastive(
                embeddings, identities, weights.identity_temperature
            )
            groups = self.crops.groups[rows].to(device)
            terms["repulsion"] = weights.repulsion * group_repulsion(
                embeddings, groups, weights.repulsion_margin
            )
        return terms

    def save(self) -> None:
        """Write the checkpoint; raises ``RunFolderError``, and then the earlier one is whole."""
        average = self.average
        state = {
            "recipe": self.recipe.model_dump(mode="json"),
            "student": self.student.state_dict(),
            "step_number": self.step_number,
            "elapsed_seconds": self.elapsed_seconds,
            "earlier_runs": self.earlier_runs,
        }
        resumable = {
            "heads": self.heads.state_dict(),
            "optimisers": self.optimisers.state(),
            "average": None if average is None else average.network.state_dict(),
            "updates": 0 if average is None else average.updates,
            "sampling": self.sampling.get_state(),
            "random": self.random.generator.get_state(),
        }
        weights = state | {"student": self.judged.state_dict()}
        self.folder.save(self.checkpoint_path, state | resumable, weights)

    def _start_from(self, path: Path) -> None:
        """Take the weights of an earlier run, and with a checkpoint its heads and its history."""
        if path.name == "embedder.pt":
            load_exported(self.student, path)
            return
        state = load_checkpoint(path, self.options.device)
        self._require_trained(state, path)
        if path.resolve() == self.checkpoint_path.resolve() and not self.options.resume:
            raise CheckpointError(f"{path} would make way for this run; name another --run folder")
        take_weights(self.student, evaluation_weights(state), path)
        if _shapes(state["heads"]) == _shapes(self.heads.state_dict()):
            self.heads.load_state_dict(state["heads"])
        this = {
            "recipe": state["recipe"]["name"],
            "batch_size": state["recipe"]["batch_size"],
            "steps": state["step_number"],
            "seconds": state["elapsed_seconds"],
        }
        self.earlier_runs = [*state.get("earlier_runs", []), this]

    def _start_from_published(self) -> None:
        """Take the published weights that the recipe names, if it names any."""
        if isinstance(self.student, PublishedNetwork):
            start_from_published(self.student, self.heads, self.targets, self.crops)

    @staticmethod
    def _require_trained(state: dict[str, Any], path: Path) -> None:
        if "heads" not in state:
            raise CheckpointError(
                f"{path}: weights alone, as of `interpolate`, are none that training can go on from"
            )

    def _restore(self, state: dict[str, Any]) -> None:
        path = self.checkpoint_path
        self._require_trained(state, path)
        kept = Recipe.model_validate(state["recipe"])
        require_same_precision(kept.precision, self.precision)
        if kept.on(self.options.device) != self.recipe:
            raise CheckpointError("the checkpoint was made by another recipe")
        take_weights(self.student, state["student"], path)
        take_weights(self.heads, state["heads"], path)
        if self.average is not None:
            take_weights(self.average.network, state["average"], path)
            self.average.updates = state["updates"]
        self.optimisers.restore(state["optimisers"])
        self.sampling.set_state(state["sampling"].cpu())
        self.random.generator.set_state(state["random"].cpu())
        self.step_number = state["step_number"]
        self.elapsed_seconds = state["elapsed_seconds"]
        self.earlier_runs = state.get("earlier_runs", [])


def _shapes(weights: Mapping[str, Tensor]) -> dict[str, torch.Size]:
    return {name: weight.shape for name, weight in weights.items()}


def near(images: Tensor, device: torch.device) -> Tensor:
    """Return the pictures on the device that trains, where they take less than half its memory.

    Copying every batch from the host would make a GPU wait.
    """
    if device.type != "cuda":
        return images
    free, _ = torch.cuda.mem_get_info(device)
    return images.to(device) if images.nbytes < free / 2 else images.pin_memory()


@torch.inference_mode()
def embed_crops(
    student: nn.Module, crops: CropSet, device: torch.device, *, mirrored: bool = False
) -> Tensor:
    """Return unit embeddings ``(N, D)`` of the plain centre crops, in full precision."""
    student.eval()
    rows = []
    for start in range(0, len(crops), EMBEDDED_AT_ONCE):
        pictures = fill_with_mean(crops.images[start : start + EMBEDDED_AT_ONCE].to(device))
        pictures = cut_crops(pictures, 112, None, None)
        pictures = pictures.contiguous(memory_format=torch.channels_last)
        rows.append(student(pictures.flip(3) if mirrored else pictures).float().cpu())
    return F.normalize(torch.cat(rows), dim=1)
