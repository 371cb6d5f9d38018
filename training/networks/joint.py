"""Two embedders as one: their unit embeddings, weighed, behind one linear head.

Without the head the cosine of two joined rows is the weighted mean of the two networks' cosines;
errors that the two do not share then cancel (score-level fusion, Ross and Jain 2003).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class JointNetwork(nn.Module):
    """RGB crops in 0..255 ``(N, 3, 112, 112)`` to unnormalised embeddings ``(N, D)``."""

    def __init__(self, first: nn.Module, second: nn.Module, share: float, head: nn.Linear) -> None:
        """``share`` is what the first network's cosine weighs in the mean, 0 to 1."""
        super().__init__()
        self.first, self.second, self.head = first, second, head
        self.share = share

    def forward(self, crops: Tensor) -> Tensor:
        """Return unnormalised embeddings ``(N, D)``."""
        first = F.normalize(self.first(crops), dim=1) * self.share**0.5
        second = F.normalize(self.second(crops), dim=1) * (1.0 - self.share) ** 0.5
        embeddings: Tensor = self.head(torch.cat([first, second], dim=1))
        return embeddings
