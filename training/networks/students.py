"""The student that a recipe asks for, by one name each."""

from __future__ import annotations

from torch import nn

from training.networks.mobile_face_net import MobileFaceNetwork
from training.networks.student import StudentNetwork
from training.recipe import MobileRecipe, StudentRecipe


def make_student(recipe: StudentRecipe) -> nn.Module:
    """Return the network, RGB crops in 0..255 ``(N, 3, S, S)`` to embeddings, with random weights.

    Published weights to start from are given by the run that trains, which has the data.
    """
    if isinstance(recipe, MobileRecipe):
        return MobileFaceNetwork(recipe.embedding_dim, recipe.published_crop)
    return StudentNetwork(**recipe.model_dump(exclude={"kind"}))
