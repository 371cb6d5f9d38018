"""Weights of face-reidentification-retail-0095 (Open Model Zoo, Apache-2.0) as a start.

The file names its tensors p0, p1, ... in the order in which the network uses them, which is the
order of our modules. It wants BGR, its projection has no bias, and it looks at 128 px: a learned
pooling of 8 x 8 positions, where a network of the 112 px crop has 7 x 7.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.foundation.errors import CheckpointError
from training.networks.mobile_face_net import MobileFaceNetwork, SlopedConvolution


def load_published(network: MobileFaceNetwork, path: Path) -> None:
    """Give ``network`` the weights of the published TorchScript file.

    A projection to another size than the file's keeps its random weights, to be fitted anew.

    Raises ``CheckpointError`` where the file is missing or holds another network.
    """
    if not path.is_file():
        raise CheckpointError(f"the weights to start from, {path}, do not exist")
    try:
        state = torch.jit.load(str(path), map_location="cpu").float().state_dict()
    except RuntimeError as error:
        raise CheckpointError(f"{path} is no TorchScript module") from error
    if not all(re.fullmatch(r"p\d+", name) for name in state):
        raise CheckpointError(f"{path} holds another network: its tensors are not p0, p1, ...")
    tensors = [state[name] for name in sorted(state, key=lambda name: int(name[1:]))]
    places = list(_places(network))
    if len(tensors) != len(places):
        raise CheckpointError(f"{path} holds {len(tensors)} tensors, not {len(places)}")
    with torch.no_grad():
        if tensors[-1].shape == places[-1].shape:
            places[-1].copy_(tensors[-1])
        for place, tensor in zip(places[:-1], tensors[:-1], strict=True):
            place.copy_(_fitted(tensor, place, path))
        stem = places[2]
        for bgr in (network.scale, network.shift, stem):
            bgr.copy_(bgr.flip(1))
        network.project.bias.zero_()


def _places(network: MobileFaceNetwork) -> Iterator[Tensor]:
    """Yield our tensors in the file's order: of each convolution weight, bias and slope."""
    yield network.scale
    yield network.shift
    inside_sloped = {id(m.conv) for m in network.modules() if isinstance(m, SlopedConvolution)}
    for module in network.modules():
        if isinstance(module, SlopedConvolution):
            yield module.conv.weight
            yield _broadcast(module.conv.bias)
            yield module.slope
        elif isinstance(module, nn.Conv2d) and id(module) not in inside_sloped:
            yield module.weight
            yield _broadcast(module.bias)
    yield network.project.weight[:, :, None, None]


def _broadcast(bias: Tensor | None) -> Tensor:
    if bias is None:
        raise TypeError("every convolution of this network has a bias")
    return bias.view(1, -1, 1, 1)


def _fitted(tensor: Tensor, place: Tensor, path: Path) -> Tensor:
    """Return ``tensor`` for ``place``; a pooling of other positions keeps its sum."""
    if tensor.shape == place.shape:
        return tensor
    if tensor.dim() == 4 and tensor.shape[:2] == place.shape[:2] and tensor.shape[-1] > 1:
        small = F.interpolate(tensor, place.shape[2:], mode="bilinear", align_corners=False)
        return small * (tensor.shape[-1] / place.shape[-1]) ** 2
    raise CheckpointError(
        f"{path} holds another network: {tuple(tensor.shape)} in a tensor's place"
    )
