"""The network that says how plain a face is: dense 3 x 3 convolutions, and its ONNX file."""

from __future__ import annotations

import itertools

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from app.vision.plainness import PLANES, SIDE, network_input
from training.foundation.arrays import ByteImage

#: Channels and strides, from the planes that ``app.vision.plainness`` gives it.
WIDTHS = (12, 20, 32, 40, 64, 48)
STRIDES = (2, 1, 2, 1, 2, 1)
_OPSET, _IR_VERSION = 13, 8
_NORM_EPSILON = 1e-5


class PlainFaceNetwork(nn.Module):
    """Six 3 x 3 convolutions with ReLU, then mean and maximum over all positions."""

    def __init__(self, widths: tuple[int, ...] = WIDTHS) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(
            nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=False)
            for (before, after), stride in zip(
                itertools.pairwise((PLANES, *widths)), STRIDES, strict=True
            )
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(width, eps=_NORM_EPSILON) for width in widths)
        self.answer = nn.Linear(2 * widths[-1], 1)

    def forward(self, planes: Tensor) -> Tensor:
        """Return the log-odds ``(N,)`` that each face is plain, of planes ``(N, 5, 56, 56)``."""
        answer: Tensor = self.answer(self.features(planes)).squeeze(1)
        return answer

    def features(self, planes: Tensor) -> Tensor:
        """Return what the answer is made of, ``(N, F)``."""
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            planes = F.relu(norm(convolution(planes)))
        return torch.cat([planes.mean(dim=(2, 3)), planes.amax(dim=(2, 3))], dim=1)


def planes_of(crops: ByteImage) -> Tensor:
    """Return what the network is given of crops ``(N, 3, 112, 112)``, as serving makes it."""
    return torch.from_numpy(np.stack([network_input(crop) for crop in crops]))


def log_odds(
    network: PlainFaceNetwork, crops: ByteImage, batch: int = 256
) -> np.typing.NDArray[np.float32]:
    """Return the log-odds ``(N,)`` that each crop shows a plain face."""
    network.eval()
    found = []
    with torch.inference_mode():
        for start in range(0, len(crops), batch):
            found.append(network(planes_of(np.asarray(crops[start : start + batch]))).numpy())
    return np.concatenate(found)


def as_onnx(network: PlainFaceNetwork) -> bytes:
    """Return the network as an ONNX file, its normalisation folded into the convolutions."""
    weights, nodes, name = [], [], "planes"
    state = network.state_dict()
    for number, stride in enumerate(STRIDES):
        norm = f"norms.{number}"
        gain = state[f"{norm}.weight"] / torch.sqrt(state[f"{norm}.running_var"] + _NORM_EPSILON)
        folded = state[f"convolutions.{number}.weight"] * gain[:, None, None, None]
        shift = state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * gain
        weights += [_stored(folded, f"weight{number}"), _stored(shift, f"bias{number}")]
        nodes.append(
            helper.make_node(
                "Conv",
                [name, f"weight{number}", f"bias{number}"],
                [f"conv{number}"],
                kernel_shape=[3, 3],
                pads=[1, 1, 1, 1],
                strides=[stride, stride],
            )
        )
        name = f"relu{number}"
        nodes.append(helper.make_node("Relu", [f"conv{number}"], [name]))
    nodes += [
        helper.make_node("GlobalAveragePool", [name], ["mean"]),
        helper.make_node("GlobalMaxPool", [name], ["max"]),
        helper.make_node("Concat", ["mean", "max"], ["both"], axis=1),
        helper.make_node("Flatten", ["both"], ["features"]),
        helper.make_node("Gemm", ["features", "weight", "bias"], ["log_odds"], transB=1),
    ]
    weights += [_stored(network.answer.weight, "weight"), _stored(network.answer.bias, "bias")]
    shape: list[str | int | None] = ["N", PLANES, SIDE, SIDE]
    graph = helper.make_graph(
        nodes,
        "plainness",
        [helper.make_tensor_value_info("planes", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("log_odds", TensorProto.FLOAT, ["N", 1])],
        weights,
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION
    )
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def _stored(weight: Tensor, name: str) -> onnx.TensorProto:
    return numpy_helper.from_array(weight.detach().numpy().astype(np.float32), name)
