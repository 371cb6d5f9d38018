"""From a recipe and its data to a learned network and its embeddings of what was held out."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError

import torch
from torch import Tensor, nn

from training.data.batches import make_batches
from training.data.learning_data import LearningData, check_judgeable, check_learnable
from training.data.learning_parts import LearningParts
from training.engines.embedding import embed_images
from training.engines.learned_from import learned_from, write_learned_from
from training.engines.metric_learning import MetricStep
from training.engines.run import Run, RunOptions, train
from training.engines.run_folder import RESULT, RunFolder, RunFolderError
from training.foundation.environment import fingerprint
from training.foundation.errors import CheckpointError
from training.metrics.similarity import measure_similarity, recall_at_one, spread_of
from training.recipes.metric_recipe import MetricRecipe
from training.teachers.plain import plain_targets

#: Unit embeddings ``(N, D)`` and identities ``(N,)`` to named measures.
Judge = Callable[[Tensor, Tensor], Mapping[str, float]]
EMBEDDINGS = "held-out.pt"


@dataclass(frozen=True)
class HeldOut:
    """Unit embeddings, float32 ``(N, D)``, of the held-out images, and their identities.

    Beside them those of the validation images, which choose thresholds and may be none. Names of
    identities (those learned from too) are missing where an older run kept none.
    """

    embeddings: Tensor
    labels: Tensor
    validation_embeddings: Tensor
    validation_labels: Tensor
    validation_keys: tuple[str, ...] = ()
    validation_names: tuple[str, ...] = ()
    train_names: tuple[str, ...] = ()


def identity_of_run(recipe: MetricRecipe, parts: LearningParts) -> dict[str, object]:
    """Return what makes two runs the same run: the recipe with its seed, and the data.

    The bar is left out: it judges a run and changes nothing in it.
    """
    return {
        "recipe": recipe.model_dump(mode="json", exclude={"bar"}),
        "train": fingerprint(parts.train.images, parts.train.labels),
        "validation": fingerprint(parts.validation.images, parts.validation.labels),
        "test": fingerprint(parts.test.images, parts.test.labels),
    }


def learn_recipe(
    recipe: MetricRecipe,
    parts: LearningParts,
    folder: Path,
    device: torch.device,
    *,
    resume: bool = False,
    force: bool = False,
) -> HeldOut:
    """Learn, embed what was held out with the best weights, and keep both in ``folder``.

    A run that ``folder`` holds already is gone on with (``resume``) or replaced (``force``). Raises
    ``RunExistsError`` without either, and ``DataError`` before the first step where what is held
    out could not judge.
    """
    recipe = recipe.on(device)
    check_judgeable(parts.test, "test")
    if recipe.patience is not None and len(parts.validation):
        check_judgeable(parts.validation, "validation")
    options = RunOptions(RunFolder(folder), device, resume, force=force)
    run = Run(_make_step(recipe, parts, device), options)
    started = time.monotonic()
    train(run)
    seconds = time.monotonic() - started
    network = load_best(run)
    judged = HeldOut(
        embed_images(network, parts.test.images, device),
        parts.test.labels,
        embed_images(network, parts.validation.images, device)
        if len(parts.validation)
        else torch.zeros(0, recipe.backbone.embedding_dim),
        parts.validation.labels,
        parts.validation.keys,
        parts.validation.label_names,
        parts.train.label_names,
    )
    spread = spread_of(judged.embeddings, judged.labels)
    if spread.collapsed:
        run.folder.log(run.step_number, {"collapsed": 1.0})
    result = {
        "run": identity_of_run(recipe, parts),
        "steps": run.step_number,
        "best_step": run.best_step,
        "seconds": round(seconds, 1),
        "images": {"train": len(parts.train), "test": len(parts.test)},
        "measures": measure_similarity(judged.embeddings, judged.labels),
        "pairs": "all pairs of the test images",
        "cosines": {"same": spread.same, "different": spread.different},
        "collapsed": spread.collapsed,
    }
    try:
        torch.save(vars(judged), folder / EMBEDDINGS)
        (folder / RESULT).write_text(json.dumps(result, indent=2) + "\n")
        write_learned_from(learned_from(parts), folder)
    except (OSError, RuntimeError) as error:
        raise RunFolderError(
            f"{folder} cannot be written: {error}; the weights are in {folder / 'best.pt'}"
        ) from error
    return judged


def read_held_out(folder: Path) -> HeldOut:
    """Return what a run kept in its folder; raises ``CheckpointError`` where there is none."""
    path = folder / EMBEDDINGS
    try:
        return HeldOut(**torch.load(path, map_location="cpu", weights_only=True))
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, UnpicklingError) as error:
        said = str(error).splitlines()[0]
        raise CheckpointError(f"{path} holds no embeddings of a run: {said}") from error


def saved_result(recipe: MetricRecipe, parts: LearningParts, folder: Path) -> HeldOut | None:
    """Return what an earlier run of the same recipe, seed and data left in ``folder``."""
    try:
        result = json.loads((folder / RESULT).read_text())
        if result["run"] != identity_of_run(recipe, parts):
            return None
        return read_held_out(folder)
    except (OSError, ValueError, KeyError, TypeError, CheckpointError):
        return None  # no run, or one that was interrupted: it is made again


def load_best(run: Run) -> nn.Module:
    """Return the judged network with the best weights of the run's folder."""
    state = torch.load(run.folder.best, map_location=run.options.device, weights_only=True)
    run.judged.load_state_dict(state["network"])
    return run.judged.eval()


def _make_step(recipe: MetricRecipe, parts: LearningParts, device: torch.device) -> MetricStep:
    train = parts.train
    check_learnable(train, recipe)
    targets = None
    if recipe.teacher is not None:
        size = recipe.backbone.embedding_dim
        targets = plain_targets(recipe.teacher, train.images, size, device).__getitem__
    validation = _validation(parts.validation, device) if len(parts.validation) else None
    return MetricStep(recipe, train, make_batches(recipe, train), device, validation, targets)


def _validation(data: LearningData, device: torch.device) -> Callable[[nn.Module], float]:
    return lambda network: recall_at_one(embed_images(network, data.images, device), data.labels)
