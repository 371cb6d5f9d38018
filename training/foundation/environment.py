"""What a run ran on and learned from, so that its numbers can be explained later."""

from __future__ import annotations

import hashlib
import platform

import torch
from torch import Tensor

from training.foundation.versions import library_versions

LIBRARIES = ("torch", "numpy", "pytorch-metric-learning", "timm", "torchvision")


def fingerprint(images: Tensor, labels: Tensor) -> str:
    """Return the SHA-256 of pixels and identities: the same data has the same one."""
    digest = hashlib.sha256(str(tuple(images.shape)).encode())
    digest.update(images.contiguous().numpy().data)
    digest.update(labels.contiguous().numpy().data)
    return digest.hexdigest()


def describe_environment(device: torch.device) -> dict[str, str | int]:
    """Return versions, device and threads; nothing that names a machine or a person."""
    cuda = device.type == "cuda"
    return {
        **library_versions(LIBRARIES),
        "device": torch.cuda.get_device_name(device) if cuda else platform.machine(),
        "threads": torch.get_num_threads(),
    }
