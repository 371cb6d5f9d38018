"""What the teachers say of the clean crops, computed once and kept beside the runs."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from rich.progress import track
from torch import Tensor

from training.data.crops import CROP_MARGIN, CROP_SIZE, CropSet
from training.teachers.torchscript import Teacher

FACE_SIZE = CROP_SIZE - 2 * CROP_MARGIN


def clean_targets(crops: CropSet, teacher: Teacher, cache: Path, batch_size: int = 128) -> Tensor:
    """Return the teacher's unit embeddings ``(N, D)``, mean of each crop and its mirror image.

    Read from ``cache`` where the same pictures met the same teacher before: the same file, shown
    pictures in the same way.
    """
    file = cache / f"{teacher.recipe.name}-{_fingerprint(crops, teacher)}.npy"
    if file.is_file():
        return torch.from_numpy(np.load(file)).float()
    rows = []
    for start in track(range(0, len(crops), batch_size), description=teacher.recipe.name):
        pictures = fill_with_mean(crops.images[start : start + batch_size].to(teacher.device))
        both = [teacher(view, CROP_SIZE, CROP_MARGIN / FACE_SIZE) for view in _views(pictures)]
        rows.append(F.normalize(both[0] + both[1], dim=1).cpu())
    targets = torch.cat(rows).half()  # as they are kept, so that a resumed run meets the same
    cache.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(f".{os.getpid()}.partial.npy")
    np.save(partial, targets.numpy())
    partial.replace(file)
    return targets.float()


def fill_with_mean(images: Tensor) -> Tensor:
    """Return float pictures whose pixels outside the photograph hold its mean colour."""
    pictures = images.float()
    inside = (images != 0).any(dim=1, keepdim=True).float()
    mean = (pictures * inside).sum((2, 3), keepdim=True) / inside.sum((2, 3), keepdim=True).clamp(1)
    return torch.where(inside > 0, pictures, mean)


def _views(pictures: Tensor) -> tuple[Tensor, Tensor]:
    return pictures, pictures.flip(3)


def _fingerprint(crops: CropSet, teacher: Teacher) -> str:
    digest = hashlib.sha256(teacher.identity.encode())
    digest.update("\n".join(crops.files).encode())
    digest.update(crops.images[:: max(1, len(crops) // 64)].numpy().tobytes())
    return digest.hexdigest()[:16]
