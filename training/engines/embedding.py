"""From images to embeddings, during a run and after it."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@torch.no_grad()
def embed_images(
    network: nn.Module, images: Tensor, device: torch.device, batch_size: int = 256
) -> Tensor:
    """Return unit embeddings, float32 ``(N, D)`` on the CPU, of images uint8 ``(N, 3, S, S)``.

    The network is left in the mode in which it was.
    """
    training = network.training
    network.eval()
    parts = [network(part.to(device).float()).float().cpu() for part in images.split(batch_size)]
    network.train(training)
    return F.normalize(torch.cat(parts), dim=1)
