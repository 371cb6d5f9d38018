"""The loop around a distillation: a progress bar, a log, checkpoints and its end."""

from __future__ import annotations

import time

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from training.engines.distillation import DistillationRun
from training.engines.divergence import refuse_broken
from training.foundation.environment import describe_environment, fingerprint

LOG_EVERY = 50
#: What a step tells beside the terms of its loss.
NO_TERMS = {"gradient", "pixels"}


def train(run: DistillationRun) -> None:
    """Train to the end of the run, with a progress bar, a log and checkpoints.

    A new run takes the place of an earlier one in its folder. Raises ``TrainingDivergedError`` with
    the batch named (the checkpoint stays that of before) and ``RunFolderError`` where the folder
    cannot be written.
    """
    folder, device = run.folder, run.options.device
    data = fingerprint(run.crops.images, run.crops.identities)
    resumed_at = run.step_number if run.options.resume else None
    recipe = run.recipe.model_dump_json(indent=2) + "\n"
    environment = {**describe_environment(device), "precision": run.precision, "data": data}
    folder.open(recipe, environment, resumed_at)
    with folder.written():
        _step_to_the_end(run)


def _step_to_the_end(run: DistillationRun) -> None:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn(
            "{task.percentage:5.1f} %  {task.fields[rate]:.0f} img/s  loss {task.fields[loss]:.4f}"
        ),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    run.student.train()
    with Progress(*columns, refresh_per_second=1) as bar:
        task = bar.add_task(run.recipe.name, total=1.0, rate=0.0, loss=0.0)
        since: list[dict[str, float]] = []
        began = last_saved = time.monotonic()
        while run.progress < 1.0:
            started = time.monotonic()
            since.append(run.step())
            run.elapsed_seconds += time.monotonic() - started
            if len(since) == LOG_EVERY or run.progress >= 1.0:
                means = _means(since)
                rate = len(since) * run.recipe.batch_size / (time.monotonic() - began)
                loss = sum(value for name, value in means.items() if name not in NO_TERMS)
                bar.update(task, completed=run.progress, rate=rate, loss=loss)
                told = {"progress": run.progress, "rate": rate}
                run.folder.log(run.step_number, told | means)
                since, began = [], time.monotonic()
            if time.monotonic() - last_saved > 60 * run.options.checkpoint_minutes:
                _save(run)
                last_saved = time.monotonic()
    _save(run)


def _save(run: DistillationRun) -> None:
    refuse_broken(run.student, run.step_number, run.folder)
    run.save()


def _means(entries: list[dict[str, float]]) -> dict[str, float]:
    return {name: sum(entry[name] for entry in entries) / len(entries) for name in entries[0]}
