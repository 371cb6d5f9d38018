"""A learned network as the service shows it a face: the 112 px crop, fitted inside the module."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

FACE_SIZE = 112
#: How red, green and blue weigh in a grey picture (ITU-R BT.601, as Pillow and OpenCV convert).
_LUMA = (0.299, 0.587, 0.114)


class DoorCropNetwork(nn.Module):
    """Takes RGB crops in 0..255 ``(N, 3, 112, 112)`` to what ``network`` says of them.

    ``side``: the square that the network learned on; crops are resized to it as its pictures were
    (bilinear, averaging where it reduces). ``grey``: it never saw a colour, and is shown none.
    """

    luma: Tensor

    def __init__(self, network: nn.Module, side: int, *, grey: bool) -> None:
        super().__init__()
        self.network, self.side, self.grey = network, side, grey
        self.register_buffer("luma", torch.tensor(_LUMA).view(1, 3, 1, 1))

    def forward(self, crops: Tensor) -> Tensor:
        """Return the network's embeddings ``(N, D)``."""
        if self.grey:
            crops = (crops * self.luma).sum(dim=1, keepdim=True).expand(-1, 3, -1, -1)
        if self.side != FACE_SIZE:
            crops = F.interpolate(
                crops, size=(self.side, self.side), mode="bilinear", antialias=True
            )
        embeddings: Tensor = self.network(crops)
        return embeddings
