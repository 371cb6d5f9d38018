"""The weights inside an exported embedder, for a student that goes on from them."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from training.foundation.checkpoints import take_weights
from training.foundation.errors import CheckpointError


def exported_state(path: Path) -> dict[str, Tensor]:
    """Return the student's weights in an exported TorchScript embedder.

    Raises ``CheckpointError`` where the file is missing or is no such module.
    """
    if not path.is_file():
        raise CheckpointError(f"{path} does not exist")
    try:
        exported = torch.jit.load(str(path), map_location="cpu").state_dict()
    except RuntimeError as error:
        raise CheckpointError(f"{path} is no TorchScript module") from error
    prefix = "student."
    return {
        key.removeprefix(prefix): value.float() if value.is_floating_point() else value
        for key, value in exported.items()
        if key.startswith(prefix)
    }


def load_exported(student: nn.Module, path: Path) -> None:
    """Give a student the weights of an exported TorchScript embedder.

    Raises ``CheckpointError`` where they are those of another network.
    """
    exported = exported_state(path)
    # TorchScript lists buffers that a checkpoint leaves out, being constants.
    constants = {name for name, _ in student.named_buffers()} - student.state_dict().keys()
    wanted = {name: exported[name] for name in exported.keys() - constants}
    take_weights(student, wanted, path)
