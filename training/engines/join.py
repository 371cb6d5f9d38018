"""Make one embedder of a trained student and SFace: a head fitted on both.

The head is the correction of ``training.teachers.correction`` once more, over what the two networks
say of the training pictures. It starts as their principal directions and takes small steps, so that
it mends which groups are confused without unlearning what the two agree on. Behind it the embedding
learns to lean away from crowds (``training.engines.hubness``).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.data.crops import CropSet
from training.engines.embedding import embed_crops
from training.engines.hubness import fit_hubness, one_of_each
from training.foundation.errors import CheckpointError
from training.foundation.precision import precision_of
from training.networks.hubness import CrowdAware
from training.networks.joint import JointNetwork
from training.networks.published.sface import read_sface
from training.networks.quantised import quantise_large
from training.networks.sface_student import SFaceNetwork
from training.recipes.build_recipe import JoinedRecipe, JoinRecipe
from training.recipes.recipe import Recipe
from training.teachers.correction import fit_correction
from training.teachers.targets import clean_targets
from training.teachers.torchscript import Teacher

CPU = torch.device("cpu")
SFACE = "sface"


@dataclass(frozen=True)
class Second:
    """The network beside the student, as it is served, and its unit embeddings ``(N, D)``."""

    network: nn.Module
    answers: Tensor


def published_sface(recipe: Recipe, crops: CropSet, root: Path, cache: Path) -> Second:
    """Return SFace as published; its answers are kept in ``cache``.

    They are means of each crop and its mirror image, as a teacher gives them; what is served is one
    view. Raises ``CheckpointError`` where SFace is not among the recipe's teachers.
    """
    spec = next((teacher for teacher in recipe.teachers if teacher.name == SFACE), None)
    if spec is None:
        raise CheckpointError(f"recipe {recipe.name} has no teacher {SFACE}, so no answers of it")
    answers = clean_targets(crops, Teacher(spec, root, CPU), cache)
    return Second(quantise_large(read_sface()), answers)


def trained_sface(network: nn.Module, crops: CropSet, checkpoint: Path) -> Second:
    """Return SFace as a run of recipe ``sface-open`` left it in ``checkpoint``.

    The network's own large matrices are stored in bytes from now on.
    Raises ``CheckpointError`` where that run trained another network.
    """
    if not isinstance(network, SFaceNetwork):
        raise CheckpointError(f"{checkpoint} holds no SFace; the second network has to be one")
    network.trunk = quantise_large(network.trunk)
    return Second(network, _answers(network, crops))


def join_networks(
    student: nn.Module,
    second: Second,
    recipe: Recipe,
    crops: CropSet,
    settings: JoinedRecipe,
) -> CrowdAware:
    """Return the student and the second network as one, corrected for hubs.

    ``crops`` are the pictures of the student's ``recipe``. For the head's sake they are embedded in
    what the CPU calculates in; what is served is fp32. Raises ``DataError`` where there are too few
    people to find crowds.
    """
    ours = _answers(student, crops)
    share = settings.join.share
    head = fit_head(recipe, crops, ours, second.answers, settings.join)
    joined = F.normalize(head(weighed(ours, second.answers, share)), dim=1)
    correction = fit_hubness(joined[one_of_each(crops)], settings.hubness, recipe.seed)
    return CrowdAware(JointNetwork(student, second.network, share, head), correction).eval()


def fit_head(
    recipe: Recipe,
    crops: CropSet,
    first: Tensor,
    second: Tensor,
    settings: JoinRecipe,
) -> nn.Linear:
    """Return the head over unit embeddings ``(N, D1)`` and ``(N, D2)`` of ``crops``.

    It maps the rows of ``weighed``.
    """
    corrected = recipe.model_copy(update={"correction": settings.head})
    # Twice the weights: a correction takes rows whose parts are unit embeddings on average.
    rows = weighed(first, second, settings.share) * 2**0.5
    return fit_correction(corrected, crops, list(rows.split([first.shape[1], second.shape[1]], 1)))


def _answers(network: nn.Module, crops: CropSet) -> Tensor:
    with precision_of(CPU).on(CPU):
        return embed_crops(network, crops, CPU)


def weighed(first: Tensor, second: Tensor, share: float) -> Tensor:
    """Return the rows that ``JointNetwork`` gives to its head, ``(N, D1 + D2)``."""
    return torch.cat([first * share**0.5, second * (1 - share) ** 0.5], dim=1)
