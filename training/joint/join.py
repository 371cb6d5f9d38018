"""Make one embedder of a trained student and an imported network: a head fitted on both.

The head is the correction of ``training.teachers.correction`` once more, over what the two networks
say of the training pictures. It starts as their principal directions and takes small steps, so that
it mends which groups are confused without unlearning what the two agree on.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from training.data.crops import CropSet
from training.engine.checkpoint import CheckpointError
from training.engine.distillation import embed_crops
from training.imports.sface import read_sface
from training.networks.joint import JointNetwork
from training.networks.quantised import quantise_large
from training.recipe import CorrectionRecipe, Recipe
from training.teachers.correction import fit_correction
from training.teachers.targets import clean_targets
from training.teachers.torchscript import Teacher

SFACE = "sface"
#: What the student's cosine weighs beside SFace's; chosen on validation people and strangers.
SHARE = 0.4
HEAD = CorrectionRecipe(learning_rate=3e-5, similarity=20.0, repulsion=400.0, repulsion_margin=0.05)


def join_with_sface(
    student: nn.Module,
    recipe: Recipe,
    crops: CropSet,
    root: Path,
    cache: Path,
    settings: CorrectionRecipe = HEAD,
) -> JointNetwork:
    """Return the student and SFace as one network.

    ``crops`` are the pictures of the student's ``recipe``, and ``cache`` keeps SFace's answers: for
    the head's sake the means of each crop and its mirror image, as a teacher gives them, and the
    student's in bfloat16. What is served is fp32 and one view.
    Raises ``CheckpointError`` where SFace is not among the recipe's teachers.
    """
    device = torch.device("cpu")
    spec = next((teacher for teacher in recipe.teachers if teacher.name == SFACE), None)
    if spec is None:
        raise CheckpointError(f"recipe {recipe.name} has no teacher {SFACE}, so no answers of it")
    sface = clean_targets(crops, Teacher(spec, root, device), cache)
    with torch.autocast("cpu", torch.bfloat16):
        ours = embed_crops(student, crops, device)
    head = fit_head(recipe, crops, ours, sface, settings)
    return JointNetwork(student, quantise_large(read_sface()), SHARE, head).eval()


def fit_head(
    recipe: Recipe,
    crops: CropSet,
    first: Tensor,
    second: Tensor,
    settings: CorrectionRecipe = HEAD,
) -> nn.Linear:
    """Return the head over unit embeddings ``(N, D1)`` and ``(N, D2)`` of ``crops``.

    It maps the weighed, concatenated rows that ``JointNetwork`` makes.
    """
    corrected = recipe.model_copy(update={"correction": settings})
    weighed = [first * (2 * SHARE) ** 0.5, second * (2 * (1 - SHARE)) ** 0.5]
    return fit_correction(corrected, crops, weighed)
