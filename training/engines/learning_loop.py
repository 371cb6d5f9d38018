"""The loop around a run of similarity learning: logs, evaluations, checkpoints and its end."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from torch import nn

from training.engines.divergence import refuse_broken
from training.engines.learning import LearningRun
from training.foundation.environment import describe_environment


def learn_to_the_end(run: LearningRun) -> None:
    """Train until the run is finished; its best weights end in ``best.pt``.

    Every ``evaluate_every`` steps and at the end the run is validated, and a checkpoint saved.
    Raises ``TrainingDivergedError`` with the batch named (the checkpoint stays that of before) and
    ``RunFolderError`` where the folder cannot be written.
    """
    recipe, folder = run.recipe, run.options.folder
    environment = {
        **describe_environment(run.options.device),
        "precision": run.precision,
        "data": run.fingerprint,
    }
    resumed_at = run.step_number if run.options.resume else None
    folder.open(recipe.model_dump_json(indent=2) + "\n", environment, resumed_at)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:5.1f} %  loss {task.fields[loss]:.4f}"),
        TextColumn("R@1 {task.fields[best]:.4f}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    run.network.train()
    with folder.written(), Progress(*columns, refresh_per_second=1) as bar:
        task = bar.add_task(recipe.name, total=recipe.steps, loss=math.nan, best=math.nan)
        since: list[dict[str, float]] = []
        while not run.finished and run.step_number != run.options.stop_after:
            since.append(run.step())
            last = run.step_number == recipe.steps
            evaluates = last or run.step_number % recipe.evaluate_every == 0
            if evaluates or run.step_number % recipe.log_every == 0:
                means = mean_of(since)
                folder.log(run.step_number, means)
                since = []
                loss = means["metric"] + means.get("teacher", 0.0)
                bar.update(
                    task, completed=run.step_number, loss=loss, best=max(run.best_score, 0.0)
                )
            if evaluates:
                evaluate_and_save(run)


def mean_of(entries: list[dict[str, float]]) -> dict[str, float]:
    """Return the mean of every value over some steps; of the rate, the last."""
    means = {name: sum(e[name] for e in entries) / len(entries) for name in entries[0]}
    return means | {"rate": entries[-1]["rate"]}


def evaluate_and_save(run: LearningRun) -> None:
    """Validate, keep the best weights, and save a checkpoint of finite weights only.

    Without a validation the newest weights are the best.
    """
    folder = run.options.folder
    refuse_broken(run.network, run.step_number, folder)
    score = run.judge()
    if not math.isnan(score):
        folder.log(run.step_number, {"validation": score})
    if math.isnan(score) or score > run.best_score:
        run.best_score = run.best_score if math.isnan(score) else score
        run.best_step = run.step_number
        folder.save(folder.best, run.weights(), run.weights())
    folder.save(folder.checkpoint, run.state(), run.weights())


def load_best(run: LearningRun, path: Path) -> nn.Module:
    """Return the judged network with the best weights of ``path``."""
    state = torch.load(path, map_location=run.options.device, weights_only=True)
    run.judged.load_state_dict(state["network"])
    return run.judged.eval()
