"""Checkpoints that survive a crash: written whole beside the old one, then put in its place."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from training.foundation.errors import CheckpointError
from training.foundation.precision import AUTO, Precision


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write ``state`` to ``path`` atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    partial.replace(path)


def load_checkpoint(
    path: Path, device: torch.device, holding: tuple[str, ...] = ("network", "recipe")
) -> dict[str, Any]:
    """Read a checkpoint; raises ``CheckpointError`` where the file is not one of this kind.

    What distillations called ``student`` (docs/decisions/0028) is the ``network`` here too.
    """
    if not path.is_file():
        raise CheckpointError(f"{path} does not exist")
    if _is_module(path):
        raise CheckpointError(f"{path} is an exported module and no checkpoint")
    try:
        state = torch.load(path, map_location=device, weights_only=True)
    except Exception as error:
        raise CheckpointError(f"{path} cannot be read as a checkpoint: {error}") from error
    if isinstance(state, dict) and "student" in state:
        state.setdefault("network", state.pop("student"))
    if not isinstance(state, dict) or any(key not in state for key in holding):
        raise CheckpointError(f"{path} holds no {' and '.join(holding)}")
    return state


def take_weights(network: nn.Module, weights: Mapping[str, Tensor], path: Path) -> None:
    """Give ``network`` all of its weights, which were read from ``path``.

    Anything that is missing, left over or of another shape is a ``CheckpointError``, and nothing is
    taken.
    """
    wanted = network.state_dict()
    wrong = {
        "missing": sorted(wanted.keys() - weights.keys()),
        "unknown": sorted(weights.keys() - wanted.keys()),
        "of another shape": sorted(
            name
            for name in wanted.keys() & weights.keys()
            if wanted[name].shape != weights[name].shape
        ),
    }
    said = "; ".join(
        f"{len(names)} {what} ({', '.join(names[:3])}{' ...' if len(names) > 3 else ''})"
        for what, names in wrong.items()
        if names
    )
    if said:
        raise CheckpointError(f"{path} holds the weights of another network: {said}")
    network.load_state_dict(weights)


def require_same_precision(kept: str, now: Precision) -> None:
    """Raise ``CheckpointError`` where a checkpoint was trained in another precision than ``now``.

    One from before precision was recorded, ``"auto"``, is taken up in what the device has.
    """
    if kept not in (AUTO, now):
        raise CheckpointError(
            f"the checkpoint was trained in {kept} and this run would go on in {now}, which is "
            f'another run; to go on as it was, state precision = "{kept}" in the recipe'
        )


def evaluation_weights(state: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return the network to judge and to ship: the moving average where a checkpoint has one."""
    average = state.get("average")
    found: dict[str, Tensor] = state["network"] if average is None else average
    return found


def _is_module(path: Path) -> bool:
    """Return whether a file is TorchScript, which holds code where a checkpoint holds weights."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any("/code/" in name for name in archive.namelist())
