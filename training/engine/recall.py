"""Recall at one, which says during a run whether it still gets better."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.data.crops import NO_LABEL


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


def recall_at_one(embeddings: Tensor, labels: Tensor) -> float:
    """Return the share of images whose nearest other image shows the same identity.

    Images of unknown identity, or of an identity with one image, ask nothing but can be found.
    ``nan`` where no image can ask.
    """
    nearest = []
    numbers = torch.arange(len(embeddings))
    for rows in numbers.split(512):
        cosines = embeddings[rows] @ embeddings.T
        cosines[torch.arange(len(rows)), rows] = -math.inf
        nearest.append(cosines.argmax(dim=1))
    _, inverse, counts = labels.unique(return_inverse=True, return_counts=True)
    asks = (labels != NO_LABEL) & (counts[inverse] > 1)
    if not bool(asks.any()):
        return math.nan
    right = labels[torch.cat(nearest)] == labels
    return float(right[asks].float().mean())
