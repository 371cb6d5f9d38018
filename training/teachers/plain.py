"""A teacher that is shown images as they are: a TorchScript embedder, asked once for each."""

from __future__ import annotations

import torch
from torch import Tensor

from training.foundation.errors import CheckpointError, DataError
from training.recipes.metric_recipe import TeacherTermRecipe


@torch.inference_mode()
def plain_targets(
    recipe: TeacherTermRecipe, images: Tensor, embedding_dim: int, device: torch.device
) -> Tensor:
    """Return the teacher's embeddings, float32 ``(N, T)``, of images uint8 ``(N, 3, S, S)``.

    Raises ``CheckpointError`` where the file is no TorchScript module or does not take the images,
    and ``DataError`` where its directions are wanted but T is not ``embedding_dim``.
    """
    if not recipe.path.is_file():
        raise CheckpointError(f"the teacher {recipe.path} does not exist")
    try:
        teacher = torch.jit.load(str(recipe.path), map_location=device).eval()
        parts = [teacher(part.to(device)).float().cpu() for part in images.split(256)]
    except RuntimeError as error:
        side = images.shape[-1]
        raise CheckpointError(
            f"{recipe.path} is no teacher for RGB bytes of {side} px: {str(error).strip()[-300:]}"
        ) from error
    targets = torch.cat(parts)
    if targets.ndim != 2 or not bool(targets.isfinite().all()):
        raise CheckpointError(f"{recipe.path} gives {tuple(targets.shape)}, not finite embeddings")
    if recipe.kind == "cosine" and targets.shape[1] != embedding_dim:
        raise DataError(
            f"the teacher's embeddings have {targets.shape[1]} numbers, the network's "
            f'{embedding_dim}; set backbone.embedding_dim or teacher.kind = "similarity"'
        )
    return targets.clone()
