"""From images to embeddings, during a run and after it."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.augment.geometry import cut_crops
from training.data.crops import CropSet
from training.foundation.device import EMBEDDED_AT_ONCE
from training.teachers.targets import fill_with_mean


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


@torch.inference_mode()
def embed_crops(
    student: nn.Module, crops: CropSet, device: torch.device, *, mirrored: bool = False
) -> Tensor:
    """Return unit embeddings ``(N, D)`` of the plain centre crops, in full precision."""
    student.eval()
    rows = []
    for start in range(0, len(crops), EMBEDDED_AT_ONCE):
        pictures = fill_with_mean(crops.images[start : start + EMBEDDED_AT_ONCE].to(device))
        pictures = cut_crops(pictures, 112, None, None)
        pictures = pictures.contiguous(memory_format=torch.channels_last)
        rows.append(student(pictures.flip(3) if mirrored else pictures).float().cpu())
    return F.normalize(torch.cat(rows), dim=1)
