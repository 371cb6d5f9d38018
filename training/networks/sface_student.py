"""SFace as a student: the published network gone on with, its early layers as they are."""

from __future__ import annotations

import torch
from torch import Tensor, nn

SIDE = 112  # of the picture that it takes; its last layer knows every position of 7 x 7


class SFaceNetwork(nn.Module):
    """RGB crops in 0..255 ``(N, 3, 112, 112)`` to unnormalised embeddings."""

    def __init__(self, published: nn.Sequential, embedding_dim: int, trained_side: int) -> None:
        """Let those layers of the chain ``published`` learn whose maps have ``trained_side`` px.

        The chain becomes part of this network. Its normalisation keeps the published statistics, in
        training too: a batch of one data set would bring others.
        """
        super().__init__()
        self.trunk = published.requires_grad_(True)
        maps = torch.zeros(1, 3, SIDE, SIDE)
        with torch.no_grad():
            for layer in self.trunk:
                maps = layer(maps)
                if maps.dim() == 4 and maps.shape[-1] > trained_side:
                    layer.requires_grad_(False)
        self.project = nn.Linear(maps.shape[1], embedding_dim)

    def train(self, mode: bool = True) -> SFaceNetwork:
        """Set training mode for all but the normalisation."""
        super().train(mode)
        self.trunk.eval()
        return self

    def features(self, crops: Tensor) -> Tensor:
        """Return what SFace itself says of each crop, ``(N, 128)``."""
        features: Tensor = self.trunk(crops)
        return features

    def forward(self, crops: Tensor) -> Tensor:
        """Return unnormalised embeddings ``(N, D)``."""
        embeddings: Tensor = self.project(self.features(crops))
        return embeddings
