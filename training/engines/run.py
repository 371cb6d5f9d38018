"""One training run, read from top to bottom: its state, a step, save and restore, and the loop."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from training.augment.randomness import Randomness
from training.engines.interruption import Interruption, interruptible
from training.engines.optimisers import MovingAverage, NonFiniteGradientError, Optimiser
from training.engines.progress import RunProgress, progress_display
from training.engines.run_folder import RunFolder, refuse_broken
from training.foundation.checkpoints import load_checkpoint, require_same_precision, take_weights
from training.foundation.environment import describe_environment
from training.foundation.errors import CheckpointError, RunInterruptedError, TrainingDivergedError
from training.foundation.precision import Precision
from training.recipes.run_recipe import RunRecipe, changed_keys, recipe_in

#: What a checkpoint holds that a run can go on from; weights to judge by have less.
RESUMABLE = ("network", "recipe", "fingerprint", "heads", "optimiser")


@dataclass(frozen=True)
class RunOptions:
    """Where and how long a run trains.

    A folder that holds a run already is gone on with (``resume``) or replaced (``force``).
    ``minutes`` ends it by the clock instead of by steps; ``stop_after`` steps end it unsaved, as an
    interruption would. Between validations a checkpoint is written every ``checkpoint_minutes``.
    """

    folder: RunFolder
    device: torch.device
    resume: bool = False
    minutes: float | None = None
    stop_after: int | None = None
    checkpoint_minutes: float = 5.0
    force: bool = False


@dataclass(frozen=True)
class Losses:
    """What a step made of a batch: rows ``(B,)``, embeddings ``(B, D)`` and the terms of its loss.

    The terms are added up; ``stats`` are logged beside them.
    """

    rows: Tensor
    embeddings: Tensor
    terms: dict[str, Tensor]
    stats: dict[str, float]


class TrainingStep(Protocol):
    """What one kind of training gives a run.

    ``network`` is judged and shipped; ``heads`` (of teachers, the class weights of a loss) learn
    with it and stay in checkpoints. ``keys`` name the data's images in errors, ``fingerprint`` is
    the data's hash, ``earlier_runs`` made the start.
    """

    network: nn.Module
    heads: nn.Module
    optimiser: Optimiser
    keys: tuple[str, ...]
    fingerprint: str
    earlier_runs: list[dict[str, Any]]

    @property
    def recipe(self) -> RunRecipe:
        """The recipe, with the precision of the device named."""

    def losses(self, progress: float, random: Randomness) -> Losses:
        """Draw a batch, show it to the network in training mode and return its losses."""

    def validate(self, network: nn.Module) -> float:
        """Return the number that should rise (R@1), or NaN where nothing is held out for it."""

    def sampler_state(self) -> Tensor:
        """Return all that the next batches depend on."""

    def restore_sampler(self, state: Tensor) -> None:
        """Go on where ``state``, on the CPU, was taken."""


class Run:
    """Everything that a run changes as it goes, and that a checkpoint therefore keeps.

    Resumed, it ends bit for bit as if it had never been interrupted. Raises ``CheckpointError``
    where a checkpoint is not one of this run, ``RunExistsError`` where the folder holds a run that
    is neither to be resumed nor to be replaced.
    """

    def __init__(self, step: TrainingStep, options: RunOptions) -> None:
        if not (options.resume or options.force):
            options.folder.refuse_earlier()
        self.training_step, self.recipe, self.options = step, step.recipe, options
        self.folder, self.network, self.heads = options.folder, step.network, step.heads
        self.precision = Precision(step.recipe.precision)
        decay = step.recipe.ema_decay
        self.average = None if decay is None else MovingAverage(self.network, decay)
        self.random = Randomness(step.recipe.seed + 1, options.device)
        self.earlier_runs = step.earlier_runs
        self.unlogged: list[dict[str, float]] = []
        self.step_number, self.elapsed_seconds = 0, 0.0
        self.best_score, self.best_step = -math.inf, 0
        if options.resume:
            self.restore(load_checkpoint(self.folder.checkpoint, options.device))

    @property
    def judged(self) -> nn.Module:
        """The network to judge and to ship: the moving average where there is one."""
        return self.network if self.average is None else self.average.network

    @property
    def progress(self) -> float:
        """How much of the run is done, 0 to 1, by steps or by the clock."""
        if self.options.minutes is not None:
            return min(1.0, self.elapsed_seconds / (60 * self.options.minutes))
        return min(1.0, self.step_number / self.recipe.steps)

    @property
    def finished(self) -> bool:
        """Whether all is done, or ``patience`` validations in a row brought nothing better."""
        patience, every = self.recipe.patience, self.recipe.evaluate_every
        waited = self.step_number - self.best_step
        lost = patience is not None and every is not None and waited >= patience * every
        return lost or self.progress >= 1.0

    def step(self) -> dict[str, float]:
        """Train on one batch; returns its loss, the loss's terms and stats of the step.

        Raises ``TrainingDivergedError``, which names the batch, where loss or gradient is NaN or
        infinite; nothing is stepped then.
        """
        progress = self.progress
        found = self.training_step.losses(progress, self.random)
        loss = torch.stack([*found.terms.values()]).sum()
        value = float(loss.detach())
        if not math.isfinite(value):
            raise self._diverged(f"the loss is {value}", found)
        try:
            stats = self.training_step.optimiser.step(loss, progress)
        except NonFiniteGradientError as error:
            raise self._diverged(str(error), found) from error
        if self.average is not None:
            self.average.update(self.network)
        self.step_number += 1
        terms = {name: float(term.detach()) for name, term in found.terms.items()}
        return {"loss": value} | terms | found.stats | stats

    def _diverged(self, what: str, found: Losses) -> TrainingDivergedError:
        keys = self.training_step.keys
        return self.folder.diverged(what, self.step_number, found.rows, keys, found.embeddings)

    def validate(self) -> float:
        """Return the judged network's score, NaN for none; nothing that learns notices."""
        with torch.random.fork_rng(enabled=True):
            return self.training_step.validate(self.judged)

    def weights(self) -> dict[str, Any]:
        """Return what it takes to use the judged network, and how it was made."""
        return {
            "recipe": self.recipe.model_dump(mode="json"),
            "network": self.judged.state_dict(),
            "step_number": self.step_number,
            "elapsed_seconds": self.elapsed_seconds,
            "earlier_runs": self.earlier_runs,
            "score": self.best_score,
        }

    def state(self) -> dict[str, Any]:
        """Return all that the rest of the run depends on."""
        random = {"cpu": torch.get_rng_state(), "augment": self.random.generator.get_state()}
        if self.options.device.type == "cuda":
            random["cuda"] = torch.cuda.get_rng_state(self.options.device)
        average = self.average
        return self.weights() | {
            "fingerprint": self.training_step.fingerprint,
            "network": self.network.state_dict(),
            "heads": self.heads.state_dict(),
            "optimiser": self.training_step.optimiser.state(),
            "average": None if average is None else average.network.state_dict(),
            "updates": 0 if average is None else average.updates,
            "sampler": self.training_step.sampler_state(),
            "random": random,
            "unlogged": self.unlogged,
            "best_step": self.best_step,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a checkpoint of this very recipe and data."""
        path, step = self.folder.checkpoint, self.training_step
        if missing := [name for name in RESUMABLE if name not in state]:
            raise CheckpointError(
                f"{path} holds no {' and '.join(missing)}: what is left, as of `interpolate` or of "
                "an older version, has nothing to go on with: training cannot go on from it"
            )
        kept = recipe_in(state, type(self.recipe), path)
        require_same_precision(kept.precision, self.precision)
        changed = changed_keys(kept.on(self.options.device), self.recipe)
        if changed:
            raise CheckpointError(
                f"{path} was made by another recipe: {'; '.join(changed)}; a run goes on with its "
                "own recipe only (--force begins anew)"
            )
        if state["fingerprint"] != step.fingerprint:
            raise CheckpointError("the checkpoint was made with other data")
        take_weights(self.network, state["network"], path)
        take_weights(self.heads, state["heads"], path)
        step.optimiser.restore(state["optimiser"])
        if self.average is not None:
            take_weights(self.average.network, state["average"], path)
            self.average.updates = state["updates"]
        step.restore_sampler(state["sampler"].cpu())
        torch.set_rng_state(state["random"]["cpu"].cpu())
        self.random.generator.set_state(state["random"]["augment"].cpu())
        if "cuda" in state["random"]:
            torch.cuda.set_rng_state(state["random"]["cuda"].cpu(), self.options.device)
        self.unlogged, self.earlier_runs = state["unlogged"], state["earlier_runs"]
        self.step_number, self.elapsed_seconds = state["step_number"], state["elapsed_seconds"]
        self.best_score, self.best_step = state["score"], state["best_step"]

    def log(self) -> float:
        """Log the means of the steps since the last time; returns that of the loss."""
        steps, self.unlogged = self.unlogged, []
        means = {name: sum(one[name] for one in steps) / len(steps) for name in steps[0]}
        means["learning_rate"] = steps[-1]["learning_rate"]
        self.folder.log(self.step_number, {"progress": self.progress} | means)
        return means["loss"]

    def save(self) -> None:
        """Write the checkpoint; raises ``RunFolderError``, and then the earlier one is whole.

        Weights that are NaN or infinite are never saved: ``TrainingDivergedError``.
        """
        refuse_broken(self.network, self.step_number, self.folder)
        self.folder.save(self.folder.checkpoint, self.state(), self.weights())

    def validate_and_save(self) -> None:
        """Validate, keep the best weights in ``best.pt``, and save a checkpoint.

        Without a validation the newest weights are the best.
        """
        refuse_broken(self.network, self.step_number, self.folder)
        score = self.validate()
        if not math.isnan(score):
            self.folder.log(self.step_number, {"validation": score})
        if math.isnan(score) or score > self.best_score:
            self.best_score = self.best_score if math.isnan(score) else score
            self.best_step = self.step_number
            self.folder.save(self.folder.best, self.weights(), self.weights())
        self.save()


def train(run: Run) -> None:
    """Train until the run is finished, showing progress, with a log and checkpoints.

    A recipe with ``evaluate_every`` is validated so often and at the end, and its best weights are
    kept. Ctrl-C (or SIGTERM) ends the run after the step that it is at, with a checkpoint, as
    ``RunInterruptedError``. Raises ``TrainingDivergedError`` with the batch named (the checkpoint
    stays that of before) and ``RunFolderError`` where the folder cannot be written.
    """
    recipe, folder, options = run.recipe, run.folder, run.options
    data = {"precision": run.precision, "data": run.training_step.fingerprint}
    environment = describe_environment(options.device) | data
    recipe_json = recipe.model_dump_json(indent=2) + "\n"
    folder.open(recipe_json, environment, run.step_number if options.resume else None)
    run.network.train()
    with folder.written(), interruptible() as asked, progress_display(recipe.name) as display:
        last_saved = last_logged = time.monotonic()
        while not run.finished and run.step_number != options.stop_after:
            if asked.to_stop:
                _stop(run, asked)
            started = time.monotonic()
            run.unlogged.append(run.step())
            run.elapsed_seconds += time.monotonic() - started
            ended, every = run.progress >= 1.0, recipe.evaluate_every
            validates = every is not None and (ended or run.step_number % every == 0)
            if ended or validates or run.step_number % recipe.log_every == 0:
                rate = len(run.unlogged) / (time.monotonic() - last_logged)
                best = max(run.best_score, 0.0)
                display.show(RunProgress(run.step_number, run.progress, run.log(), rate, best))
                last_logged = time.monotonic()
            minutes = (time.monotonic() - last_saved) / 60
            if validates:
                run.validate_and_save()
            elif ended or minutes > options.checkpoint_minutes:
                run.save()
            else:
                continue
            last_saved = time.monotonic()


def _stop(run: Run, asked: Interruption) -> None:
    """Save the run as it stands and say so; a second Ctrl-C meanwhile ends it at once."""
    asked.obey_at_once()
    run.save()
    raise RunInterruptedError(
        f"stopped after step {run.step_number} ({run.progress:.0%}); the state of the run is in "
        f"{run.folder.checkpoint}"
    )
