"""Well-known networks to compare costs with: the one place that imports torchvision.

Beside a CPU build of torch the matching torchvision is a CUDA build, whose import fails because its
operators are missing ("operator torchvision::nms does not exist"): their schemas are declared
first. The networks need none of these operators.
"""

from __future__ import annotations

import torch
from torch import nn

_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)


def _declare_missing_operators() -> torch.library.Library | None:
    if torch.version.cuda is not None:
        return None  # there torchvision loads its own operators
    library = torch.library.Library("torchvision", "FRAGMENT")
    for schema in _SCHEMAS:
        library.define(schema)
    return library


_OPERATORS = _declare_missing_operators()  # the declarations live as long as this object

from torchvision import models  # noqa: E402


def reference_networks(embedding_dim: int = 256) -> dict[str, nn.Module]:
    """Return networks of torchvision with random weights and an embedding for their classes."""
    return {
        "torchvision resnet18": models.resnet18(num_classes=embedding_dim),
        "torchvision mobilenet_v3_small": models.mobilenet_v3_small(num_classes=embedding_dim),
    }
