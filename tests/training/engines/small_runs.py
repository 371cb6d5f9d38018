"""Tiny data, recipes and batches for runs of similarity learning."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from training.data.batches import BatchSource, make_batches
from training.data.learning_data import LearningData
from training.engines.embedding import embed_images
from training.engines.metric_learning import MetricStep
from training.engines.run import Run, RunOptions
from training.engines.run_folder import RunFolder
from training.metrics.similarity import recall_at_one
from training.recipes.metric_recipe import MetricRecipe

CPU = torch.device("cpu")
SIDE = 16


def made_data(identities: int = 5, each: int = 6, seed: int = 0) -> LearningData:
    """Return noisy copies of one random picture for each identity."""
    generator = torch.Generator().manual_seed(seed)
    plain = torch.randint(40, 215, (identities, 3, SIDE, SIDE), generator=generator).float()
    noise = 25 * torch.randn(identities * each, 3, SIDE, SIDE, generator=generator)
    images = (plain.repeat_interleave(each, 0) + noise).clamp(0, 255).to(torch.uint8)
    labels = torch.arange(identities).repeat_interleave(each)
    keys = tuple(f"{label}/{row}.png" for row, label in enumerate(labels.tolist()))
    return LearningData(images, labels, keys, tuple(f"person {n}" for n in range(identities)))


def made_recipe(**changes: object) -> MetricRecipe:
    """Return a recipe of twelve steps with everything that a checkpoint must keep."""
    settings: dict[str, object] = {
        "name": "tiny",
        "steps": 12,
        "evaluate_every": 4,
        "log_every": 2,
        "ema_decay": 0.9,
        "data": {"sources": [{"kind": "made"}]},
        "backbone": {"name": "small-cnn", "embedding_dim": 8, "dropout": 0.2},
        "loss": {"name": "triplet"},
        "miner": {"name": "batch-hard"},
        "sampler": {"name": "identities", "identities": 4, "images": 3},
        "augment": {"flip": 0.5, "crop": 0.1},
        "optimiser": {"clip_norm": 1.0},
    }
    return MetricRecipe.model_validate(settings | changes)


def validation(data: LearningData) -> Callable[[nn.Module], float]:
    """Return R@1 on ``data`` as a function of the network."""
    return lambda network: recall_at_one(embed_images(network, data.images, CPU), data.labels)


def made_run(
    folder: Path | RunFolder,
    recipe: MetricRecipe | None = None,
    data: LearningData | None = None,
    *,
    resume: bool = False,
    force: bool = False,
    stop_after: int | None = None,
    targets: Callable[[Tensor], Tensor] | None = None,
    validated: bool = True,
    batches: BatchSource | None = None,
) -> Run:
    recipe, data = recipe or made_recipe(), data or made_data()
    place = folder if isinstance(folder, RunFolder) else RunFolder(folder)
    step = MetricStep(
        recipe,
        data,
        batches or make_batches(recipe, data),
        CPU,
        validation(made_data(seed=9)) if validated else None,
        targets,
    )
    return Run(step, RunOptions(place, CPU, resume, stop_after=stop_after, force=force))
