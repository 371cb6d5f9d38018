"""What stops a run whose numbers are none any more: the batch is named, nothing broken is saved."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from training.engines.run_folder import RunFolder
from training.foundation.errors import TrainingDivergedError

SHOWN = 8


def name_diverged(
    what: str, step: int, rows: Tensor, keys: Sequence[str], embeddings: Tensor, folder: RunFolder
) -> TrainingDivergedError:
    """Return the error that names the images of a batch; ``diverged.json`` lists all of it.

    ``rows`` ``(B,)`` are places in ``keys``. Where some ``embeddings`` ``(B, D)`` are no numbers
    only their images are named.
    """
    broken = ~embeddings.detach().isfinite().all(dim=1).cpu()
    guilty = rows[broken] if bool(broken.any()) else rows
    named = [f"{keys[row]} (row {row})" for row in guilty.tolist()]
    batch = {"step": step, "what": what, "rows": rows.tolist(), "named": named}
    if folder.path.is_dir():
        with contextlib.suppress(OSError):  # of two failures the first is to be told
            folder.write("diverged.json", json.dumps(batch, indent=2) + "\n")
    more = f" and {len(named) - SHOWN} more" if len(named) > SHOWN else ""
    kept = f"; {folder.checkpoint} holds the last good state" if folder.checkpoint.is_file() else ""
    shown = ", ".join(named[:SHOWN])
    return TrainingDivergedError(f"{what} at step {step}; batch: {shown}{more}{kept}")


def first_broken(network: nn.Module) -> str | None:
    """Return the name of a weight that holds a number that is none, or ``None``."""
    for name, value in network.state_dict().items():
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            return name
    return None


def refuse_broken(network: nn.Module, step: int, folder: RunFolder) -> None:
    """Raise ``TrainingDivergedError`` rather than have weights saved that are no numbers."""
    name = first_broken(network)
    if name is not None:
        raise TrainingDivergedError(
            f"after step {step} {name} holds numbers that are none; "
            f"{folder.checkpoint} was left as it was"
        )
