"""The student that a recipe asks for, by one name each."""

from __future__ import annotations

from torch import nn

from training.networks.mobile_face_net import MobileFaceNetwork
from training.networks.published.sface import read_sface
from training.networks.sface_student import SFaceNetwork
from training.networks.student import StudentNetwork
from training.recipes.recipe import MobileRecipe, SFaceRecipe, StudentRecipe


def make_student(recipe: StudentRecipe) -> nn.Module:
    """Return the network, RGB crops in 0..255 ``(N, 3, S, S)`` to embeddings, with random weights.

    Published weights to start from are given by the run that trains, which has the data; SFace has
    its own from the start. Raises what ``read_sface`` raises.
    """
    if isinstance(recipe, MobileRecipe):
        return MobileFaceNetwork(recipe.embedding_dim, recipe.published_crop)
    if isinstance(recipe, SFaceRecipe):
        return SFaceNetwork(read_sface(), recipe.embedding_dim, recipe.trained_side)
    return StudentNetwork(**recipe.model_dump(exclude={"kind"}))
