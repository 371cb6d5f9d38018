"""Well-known networks to compare costs with."""

from __future__ import annotations

from torch import nn

from training.networks.torchvision_models import models


def reference_networks(embedding_dim: int = 256) -> dict[str, nn.Module]:
    """Return networks of torchvision with random weights and an embedding for their classes."""
    return {
        "torchvision resnet18": models.resnet18(num_classes=embedding_dim),
        "torchvision mobilenet_v3_small": models.mobilenet_v3_small(num_classes=embedding_dim),
    }
