"""Networks of torchvision and timm: the one place that imports either.

Beside a CPU build of torch the matching torchvision is a CUDA build, whose import fails because its
operators are missing ("operator torchvision::nms does not exist"): their schemas are declared
first. The networks need none of these operators. timm imports torchvision too.
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

__all__ = ["make_timm_network", "models"]


def make_timm_network(name: str) -> nn.Module:
    """Return a network of timm that ends in its pooled features, with random weights."""
    import timm  # noqa: PLC0415 - seconds that only its own networks need

    network: nn.Module = timm.create_model(name, pretrained=False, num_classes=0)
    return network
