"""What a distillation step is: one student, several teachers, and terms that keep people apart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from training.augment.pipeline import augment
from training.augment.randomness import Randomness
from training.data.crops import CropSet
from training.data.sampling import BatchSampler
from training.data.sources import read_sources
from training.engines.optimisers import Optimiser, distillation_optimiser
from training.engines.run import Losses, Run, RunOptions, train
from training.engines.starts import PublishedNetwork, start_from, start_from_published
from training.engines.targets import CORRECTION, Target, TargetSource, mean_similarity
from training.foundation.environment import fingerprint
from training.foundation.errors import CheckpointError
from training.foundation.precision import Precision
from training.losses.distillation import cosine_distillation, similarity_distillation
from training.losses.identity import group_repulsion, supervised_contrastive
from training.networks.students import make_student
from training.recipes.recipe import Recipe, ResolutionRecipe


def distillation_run(
    recipe: Recipe,
    crops: CropSet,
    targets: TargetSource,
    options: RunOptions,
    initial_weights: Path | None = None,
) -> Run:
    """Return the run of a distillation, which starts from random, published or given weights.

    Raises ``CheckpointError`` where a checkpoint, or the weights to start from, are of another
    network or another run.
    """
    kept = options.folder.checkpoint
    start = None if options.resume else initial_weights
    step = DistillationStep(recipe, crops, targets, options.device)
    if not options.resume:
        step.start(start)
    if start is not None and start.resolve() == kept.resolve():
        raise CheckpointError(f"{start} would make way for this run; name another --run folder")
    return Run(step, options)


def distill_recipe(
    recipe: Recipe,
    data: Path,
    cache: Path,
    options: RunOptions,
    tell: Callable[[str], None],
    initial_weights: Path | None = None,
) -> None:
    """Train the student of ``recipe`` on the pictures below ``data``, to the run's end.

    What teachers said before is in ``cache``. Raises what reading, ``distillation_run`` and
    ``train`` raise.
    """
    loaded = recipe.on(options.device)
    crops = read_sources(loaded, data)
    names = ", ".join(crops.source_names)
    tell(f"{len(crops)} crops from {names}; {options.device}, {loaded.precision}")
    targets = TargetSource(loaded, crops, data, cache, options.device)
    train(distillation_run(loaded, crops, targets, options, initial_weights))


class DistillationStep:
    """Shows a batch of changed crops to a student, and what teachers say of them to its heads."""

    def __init__(
        self, recipe: Recipe, crops: CropSet, targets: TargetSource, device: torch.device
    ) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe = recipe.on(device)
        self.precision = Precision(self.recipe.precision)
        self.crops, self.targets, self.device = crops, targets, device
        self.keys, self.fingerprint = crops.files, fingerprint(crops.images, crops.identities)
        self.images = images_near(crops.images, device)
        self.network: nn.Module = make_student(recipe.student).to(device)
        self.heads: nn.Module = nn.ModuleDict(
            {
                name.replace(".", "_"): nn.Linear(recipe.student.embedding_dim, dim)
                for name, dim in targets.dimensions.items()
            }
        ).to(device)
        self.earlier_runs: list[dict[str, Any]] = []
        self.sampling = torch.Generator().manual_seed(recipe.seed)
        self.sampler = BatchSampler(crops, recipe.sources, recipe.batch_size, self.sampling)
        self.optimiser = self._optimiser()

    def start(self, path: Path | None) -> None:
        """Take the weights of ``path``, or else the published ones that the recipe may name."""
        if path is not None:
            self.earlier_runs = start_from(path, self.network, self.heads, self.device)
        elif isinstance(self.network, PublishedNetwork):
            start_from_published(self.network, self.heads, self.targets, self.crops)
        self.optimiser = self._optimiser()  # some rates follow from the size of the weights

    def _optimiser(self) -> Optimiser:
        recipe = self.recipe
        return distillation_optimiser(
            self.network, self.heads, recipe.optimiser, recipe.clip_norm, self.precision
        )

    def losses(self, progress: float, random: Randomness) -> Losses:
        """Draw a batch, show it to student and teachers, and return its losses."""
        recipe, device = self.recipe, self.device
        size = resolution_at(progress, recipe.resolution)
        rows = self.sampler.draw()
        with torch.no_grad():
            images = self.images[rows.to(self.images.device)].to(device)
            pictures = augment(images, size, recipe.augment, random)
            pictures = pictures.contiguous(memory_format=torch.channels_last)
            targets = self.targets.of(rows, pictures)
        with self.precision.on(device):
            embeddings = self.network(pictures)
        embeddings = embeddings.float()
        return Losses(rows, embeddings, self._terms(embeddings, targets, rows), {"pixels": size})

    def _terms(self, embeddings: Tensor, targets: list[Target], rows: Tensor) -> dict[str, Tensor]:
        weights = self.recipe.loss
        terms = {}
        for target in targets:
            name = target.name.replace(".", "_")
            head = nn.Identity() if name == CORRECTION else self.heads.get_submodule(name)
            terms[target.name] = target.loss_weight * cosine_distillation(
                head(embeddings), target.embeddings
            )
        terms["similarity"] = weights.similarity * similarity_distillation(
            embeddings, mean_similarity(targets)
        )
        if self.recipe.augment.mixup == 0:  # a blend of two faces is nobody that the data knows
            identities = self.crops.identities[rows].to(self.device)
            terms["identity"] = weights.identity * supervised_contrastive(
                embeddings, identities, weights.identity_temperature
            )
            groups = self.crops.groups[rows].to(self.device)
            terms["repulsion"] = weights.repulsion * group_repulsion(
                embeddings, groups, weights.repulsion_margin
            )
        return terms

    def validate(self, network: nn.Module) -> float:
        """Return NaN: a student is judged on people, by ``training evaluate``."""
        del network
        return float("nan")

    def sampler_state(self) -> Tensor:
        """Return all that the next batches depend on."""
        return self.sampling.get_state()

    def restore_sampler(self, state: Tensor) -> None:
        """Go on where ``state`` was taken."""
        self.sampling.set_state(state)


def resolution_at(progress: float, stages: tuple[ResolutionRecipe, ...]) -> int:
    """Return the side of the training pictures in pixels at ``progress`` in 0..1."""
    return next((stage.pixels for stage in stages if progress < stage.until), stages[-1].pixels)


def images_near(images: Tensor, device: torch.device) -> Tensor:
    """Return the pictures on the device that trains, where they take less than half its memory.

    Copying every batch from the host would make a GPU wait.
    """
    if device.type != "cuda":
        return images
    free, _ = torch.cuda.mem_get_info(device)
    return images.to(device) if images.nbytes < free / 2 else images.pin_memory()
