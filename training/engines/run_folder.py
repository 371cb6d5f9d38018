"""A run's folder: recipe, environment, log, curves, checkpoints; what it keeps when all goes wrong.

A full disk leaves the last checkpoint and the weights; a run that diverges leaves the last good
state and the names of the images that broke it.
"""

from __future__ import annotations

import contextlib
import json
import math
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter

from training.foundation.checkpoints import save_checkpoint
from training.foundation.errors import DataError, TrainingDivergedError

#: How many images of a batch an error names.
SHOWN = 8
CHECKPOINT, BEST, LOG, RESULT = "checkpoint.pt", "best.pt", "log.jsonl", "result.json"
#: What an earlier run left when it ended.
_OF_AN_END = ("diverged.json", RESULT, "learned-from.json")
Saver = Callable[[Path, dict[str, Any]], None]


class RunFolderError(OSError):
    """The run's folder cannot be written; the message says what was saved, and where."""


class RunExistsError(DataError):
    """The folder holds a run that a new one would replace; the message says what to do."""


class RunFolder:
    """Writes below ``path``. A failure is a ``RunFolderError`` and leaves the last checkpoint."""

    def __init__(self, path: Path, saver: Saver = save_checkpoint) -> None:
        self.path, self._save = path, saver
        self._curves: SummaryWriter | None = None

    @property
    def checkpoint(self) -> Path:
        """Where the state of the run is."""
        return self.path / CHECKPOINT

    @property
    def best(self) -> Path:
        """Where the weights with the best validation are."""
        return self.path / BEST

    def refuse_earlier(self) -> None:
        """Raise ``RunExistsError`` where the folder holds weights or figures of a run."""
        kept = [name for name in (CHECKPOINT, BEST, RESULT) if (self.path / name).is_file()]
        if kept:
            raise RunExistsError(
                f"{self.path} holds a run already ({', '.join(kept)}): --resume goes on with it, "
                "--force replaces it, --run names another folder"
            )

    def open(self, recipe: str, environment: Mapping[str, object], resumed_at: int | None) -> None:
        """Begin, or go on after step ``resumed_at``; a new run takes an earlier one's place.

        What an interrupted run logged after its last checkpoint will be logged again, and goes.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            if resumed_at is None:
                for old in (CHECKPOINT, BEST, LOG, *_OF_AN_END):
                    (self.path / old).unlink(missing_ok=True)
                for events in self.path.glob("events.out.tfevents.*"):
                    events.unlink()
            else:
                self._forget_after(resumed_at)
            self.write("recipe.json", recipe)
            self.write("environment.json", json.dumps(dict(environment), indent=2) + "\n")
            self._curves = SummaryWriter(str(self.path), purge_step=resumed_at)
        except OSError as error:
            raise RunFolderError(f"{self.path} cannot be written: {error}") from error

    def _forget_after(self, step: int) -> None:
        log = self.path / LOG
        if log.is_file():
            lines = [line for line in log.read_text().splitlines() if _step_of(line) <= step]
            log.write_text("".join(line + "\n" for line in lines))

    def write(self, name: str, text: str) -> None:
        """Write a small file."""
        (self.path / name).write_text(text)

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Add a line to the log and a point to every curve; NaN and infinity are left out."""
        values = {name: value for name, value in values.items() if math.isfinite(value)}
        rounded = {name: round(value, 8) for name, value in values.items()}
        with (self.path / LOG).open("a") as file:
            file.write(json.dumps({"step": step, **rounded}) + "\n")
        if self._curves is not None:
            for name, value in values.items():
                self._curves.add_scalar(name, value, step)

    def save(self, path: Path, state: dict[str, Any], weights: dict[str, Any]) -> None:
        """Save a checkpoint whole; where that fails, save ``weights`` alone if there is room.

        The folder is tried first (weights need a third of the room), then the temporary one.
        """
        try:
            self._save(path, state)
        except (OSError, RuntimeError) as error:  # torch's writer makes either of a full disk
            path.with_suffix(".partial").unlink(missing_ok=True)
            kept = f"; {path} is still the last one that was whole" if path.exists() else ""
            saved = self._rescue(weights)
            raise RunFolderError(f"{path} cannot be saved: {error}{kept}; {saved}") from error

    def _rescue(self, weights: dict[str, Any]) -> str:
        for folder in (self.path, Path(tempfile.gettempdir()) / f"rescued-{self.path.name}"):
            rescued = folder / "rescued.pt"
            try:
                save_checkpoint(rescued, weights)
            except (OSError, RuntimeError):
                rescued.with_suffix(".partial").unlink(missing_ok=True)
            else:
                return f"the weights alone are in {rescued}"
        return "the weights could not be saved anywhere"

    def diverged(
        self, what: str, step: int, rows: Tensor, keys: Sequence[str], embeddings: Tensor
    ) -> TrainingDivergedError:
        """Return the error that names the images of a batch; ``diverged.json`` lists all of it.

        ``rows`` ``(B,)`` are places in ``keys``. Where some ``embeddings`` ``(B, D)`` are NaN or
        infinite only their images are named.
        """
        broken = ~embeddings.detach().isfinite().all(dim=1).cpu()
        guilty = rows[broken] if bool(broken.any()) else rows
        named = [f"{keys[row]} (row {row})" for row in guilty.tolist()]
        batch = {"step": step, "what": what, "rows": rows.tolist(), "named": named}
        if self.path.is_dir():
            with contextlib.suppress(OSError):  # of two failures the first is the one to report
                self.write("diverged.json", json.dumps(batch, indent=2) + "\n")
        more = f" and {len(named) - SHOWN} more" if len(named) > SHOWN else ""
        kept = f"; {self.checkpoint} holds the last good state" if self.checkpoint.is_file() else ""
        shown = ", ".join(named[:SHOWN])
        return TrainingDivergedError(f"{what} at step {step}; batch: {shown}{more}{kept}")

    @contextlib.contextmanager
    def written(self) -> Iterator[None]:
        """Close the folder at the end; raises ``RunFolderError`` where it could not be written."""
        try:
            yield
        except RunFolderError:
            raise
        except OSError as error:
            raise RunFolderError(f"{self.path} cannot be written: {error}") from error
        finally:
            self.close()

    def close(self) -> None:
        """Finish the curves."""
        if self._curves is not None:
            self._curves.close()
            self._curves = None


def first_broken(network: nn.Module) -> str | None:
    """Return the name of a weight that holds NaN or infinity, or ``None``."""
    for name, value in network.state_dict().items():
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            return name
    return None


def refuse_broken(network: nn.Module, step: int, folder: RunFolder) -> None:
    """Raise ``TrainingDivergedError`` rather than have NaN or infinite weights saved."""
    name = first_broken(network)
    if name is not None:
        raise TrainingDivergedError(
            f"after step {step} {name} holds NaN or infinity; {folder.checkpoint} was left as it "
            "was"
        )


def _step_of(line: str) -> int:
    try:
        return int(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return 2**62  # half a line: the run was interrupted while it wrote
