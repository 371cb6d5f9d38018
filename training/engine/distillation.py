"""The training loop: one student, several teachers, read from top to bottom."""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter

from training.augment.geometry import cut_crops
from training.augment.pipeline import augment
from training.augment.randomness import Randomness
from training.data.crops import CropSet
from training.data.sampling import BatchSampler
from training.engine.checkpoint import CheckpointError, load_checkpoint, save_checkpoint
from training.engine.optimisers import make_optimiser
from training.engine.schedule import learning_rate_factor, resolution_at
from training.engine.targets import CORRECTION, TargetSource, mean_similarity
from training.engine.warm_start import start_from_published
from training.losses.distillation import cosine_distillation, similarity_distillation
from training.losses.identity import group_repulsion, supervised_contrastive
from training.networks.mobile_face_net import MobileFaceNetwork
from training.networks.students import make_student
from training.recipe import MobileRecipe, Recipe
from training.teachers.targets import fill_with_mean
from training.torch_setup import EMBEDDED_AT_ONCE


class TrainingDivergedError(RuntimeError):
    """The loss is no longer a number; the message names the step."""


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
    """Everything that a run changes as it goes, and that a checkpoint therefore keeps."""

    def __init__(
        self, recipe: Recipe, crops: CropSet, targets: TargetSource, options: RunOptions
    ) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.crops, self.targets, self.options = recipe, crops, targets, options
        device = options.device
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
        self.optimisers = make_optimiser(self.student, [*self.heads.parameters()], recipe.optimiser)
        if options.resume:
            self._restore(load_checkpoint(self.checkpoint_path, device))

    @property
    def checkpoint_path(self) -> Path:
        """Where this run keeps its state."""
        return self.options.folder / "checkpoint.pt"

    @property
    def progress(self) -> float:
        """How much of the run is done, 0 to 1, by steps or by the clock."""
        if self.options.minutes is not None:
            return min(1.0, self.elapsed_seconds / (60 * self.options.minutes))
        return min(1.0, self.step_number / self.recipe.steps)

    def step(self) -> dict[str, float]:
        """Train on one batch and return its loss terms."""
        recipe, device = self.recipe, self.options.device
        size = resolution_at(self.progress, recipe.resolution)
        rows = self.sampler.draw()
        with torch.no_grad():
            images = self.images[rows.to(self.images.device)].to(device)
            pictures = augment(images, size, recipe.augment, self.random)
            pictures = pictures.contiguous(memory_format=torch.channels_last)
            targets = self.targets.of(rows, pictures)
        with torch.autocast(device.type, torch.bfloat16):
            embeddings = self.student(pictures)
        embeddings = embeddings.float()
        terms = self._loss_terms(embeddings, targets, rows)
        loss = torch.stack([*terms.values()]).sum()
        if not math.isfinite(float(loss.detach())):
            raise TrainingDivergedError(
                f"the loss is {float(loss.detach())} at step {self.step_number}"
            )
        loss.backward()
        factor = learning_rate_factor(self.progress, recipe.optimiser.warmup_fraction)
        self.optimisers.step(factor)
        self.step_number += 1
        return {name: float(term.detach()) for name, term in terms.items()} | {"pixels": size}

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
        """Write the checkpoint."""
        save_checkpoint(
            self.checkpoint_path,
            {
                "recipe": self.recipe.model_dump(mode="json"),
                "student": self.student.state_dict(),
                "heads": self.heads.state_dict(),
                "optimisers": self.optimisers.state(),
                "sampling": self.sampling.get_state(),
                "random": self.random.generator.get_state(),
                "step_number": self.step_number,
                "elapsed_seconds": self.elapsed_seconds,
                "earlier_runs": self.earlier_runs,
            },
        )

    def _start_from(self, path: Path) -> None:
        """Take the weights of an earlier run, and with a checkpoint its heads and its history."""
        if path.name == "embedder.pt":
            load_exported(self.student, path)
            return
        state = load_checkpoint(path, self.options.device)
        self._require_trained(state)
        self.student.load_state_dict(state["student"])
        if state["heads"].keys() == self.heads.state_dict().keys():
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
        wanted, student = self.recipe.student, self.student
        if isinstance(wanted, MobileRecipe) and isinstance(student, MobileFaceNetwork):
            weights = self.targets.root / wanted.start
            start_from_published(student, self.heads, weights, self.targets, self.crops)

    @staticmethod
    def _require_trained(state: dict[str, Any]) -> None:
        if "heads" not in state:
            raise CheckpointError("weights of `interpolate` are none that training can go on from")

    def _restore(self, state: dict[str, Any]) -> None:
        self._require_trained(state)
        if Recipe.model_validate(state["recipe"]) != self.recipe:
            raise CheckpointError("the checkpoint was made by another recipe")
        self.student.load_state_dict(state["student"])
        self.heads.load_state_dict(state["heads"])
        self.optimisers.restore(state["optimisers"])
        self.sampling.set_state(state["sampling"].cpu())
        self.random.generator.set_state(state["random"].cpu())
        self.step_number = state["step_number"]
        self.elapsed_seconds = state["elapsed_seconds"]
        self.earlier_runs = state.get("earlier_runs", [])


def near(images: Tensor, device: torch.device) -> Tensor:
    """Return the pictures on the device that trains, where they take less than half its memory.

    Copying every batch from the host would make a GPU wait.
    """
    if device.type != "cuda":
        return images
    free, _ = torch.cuda.mem_get_info(device)
    return images.to(device) if images.nbytes < free / 2 else images.pin_memory()


def exported_state(path: Path) -> dict[str, Tensor]:
    """Return the student's weights in an exported TorchScript embedder."""
    exported = torch.jit.load(str(path), map_location="cpu").state_dict()
    prefix = "student."
    return {
        key.removeprefix(prefix): value.float() if value.is_floating_point() else value
        for key, value in exported.items()
        if key.startswith(prefix)
    }


def load_exported(student: nn.Module, path: Path) -> None:
    """Give a student the weights of an exported TorchScript embedder."""
    exported = exported_state(path)
    # TorchScript lists buffers that a checkpoint leaves out, being constants.
    constants = {name for name, _ in student.named_buffers()} - student.state_dict().keys()
    student.load_state_dict({name: exported[name] for name in exported.keys() - constants})


def train(run: DistillationRun) -> None:
    """Train to the end of the run, with a progress bar, a log and checkpoints."""
    run.options.folder.mkdir(parents=True, exist_ok=True)
    (run.options.folder / "recipe.json").write_text(run.recipe.model_dump_json(indent=2))
    writer = SummaryWriter(str(run.options.folder))
    log = (run.options.folder / "log.jsonl").open("a")
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn(
            "{task.percentage:5.1f} %  {task.fields[rate]:.0f} img/s  loss {task.fields[loss]:.4f}"
        ),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    last_saved = time.monotonic()
    run.student.train()
    with Progress(*columns, refresh_per_second=1) as bar:
        task = bar.add_task(run.recipe.name, total=1.0, rate=0.0, loss=0.0)
        sums: dict[str, float] = {}
        since, count = time.monotonic(), 0
        while run.progress < 1.0:
            started = time.monotonic()
            terms = run.step()
            run.elapsed_seconds += time.monotonic() - started
            count += 1
            for name, value in terms.items():
                sums[name] = sums.get(name, 0.0) + value
            if count == 50 or run.progress >= 1.0:
                means = {name: value / count for name, value in sums.items()}
                loss = sum(value for name, value in means.items() if name != "pixels")
                rate = count * run.recipe.batch_size / (time.monotonic() - since)
                bar.update(task, completed=run.progress, rate=rate, loss=loss)
                entry = {"step": run.step_number, "progress": run.progress, "rate": rate, **means}
                log.write(json.dumps({k: round(v, 6) for k, v in entry.items()}) + "\n")
                log.flush()
                for name, value in means.items():
                    writer.add_scalar(name, value, run.step_number)
                sums, since, count = {}, time.monotonic(), 0
            if time.monotonic() - last_saved > 60 * run.options.checkpoint_minutes:
                run.save()
                last_saved = time.monotonic()
    run.save()
    writer.close()
    log.close()


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
