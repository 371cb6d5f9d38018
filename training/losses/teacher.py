"""The teacher's term beside any metric loss, so that fine-tuning does not forget the teacher."""

from __future__ import annotations

from typing import Literal

import torch.nn.functional as F
from torch import Tensor

from training.foundation.errors import DataError
from training.losses.distillation import cosine_distillation, similarity_distillation


def teacher_term(
    kind: Literal["cosine", "similarity"], embeddings: Tensor, targets: Tensor
) -> Tensor:
    """Return the distillation loss of embeddings ``(N, D)`` towards a teacher's ``(N, T)``.

    Raises ``DataError`` where directions are asked for and T is not D.
    """
    if kind == "similarity":
        unit = F.normalize(targets, dim=1)
        return similarity_distillation(embeddings, unit @ unit.T)
    if embeddings.shape != targets.shape:
        raise DataError(
            f"the teacher's embeddings have {targets.shape[1]} numbers, the network's "
            f'{embeddings.shape[1]}; use kind = "similarity"'
        )
    return cosine_distillation(embeddings, targets)
