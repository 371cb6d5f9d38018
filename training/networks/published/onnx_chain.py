"""Reads an ONNX network that is one chain of layers, with its quantised weights folded to fp32.

Block-quantised files (DequantizeLinear with ``block_size``, ONNX operator set 21) are small but few
runtimes open them. Folding computes ``(q - zero_point) * scale`` once, here, and what remains is a
plain network of convolutions, batch norms, PReLU and linear layers.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from training.foundation.errors import ForeignNetworkError

Weight = npt.NDArray[np.generic]
Weights = dict[str, Weight]


class Shift(nn.Module):
    """Subtract a number."""

    def __init__(self, minus: float) -> None:
        super().__init__()
        self.minus = minus

    def forward(self, pictures: Tensor) -> Tensor:
        """Return ``pictures - minus``."""
        return pictures - self.minus


class Scale(nn.Module):
    """Multiply by a number."""

    def __init__(self, times: float) -> None:
        super().__init__()
        self.times = times

    def forward(self, pictures: Tensor) -> Tensor:
        """Return ``pictures * times``."""
        return pictures * self.times


def read_chain(content: bytes) -> nn.Sequential:
    """Return the network of an ONNX file, in evaluation mode, every weight float32.

    Raises ``ForeignNetworkError`` where the file is no ONNX model, has a branch, or an operator
    that a chain of layers does not have.
    """
    try:
        model = onnx.load_model_from_string(content)
        onnx.checker.check_model(model)
    except Exception as error:
        raise ForeignNetworkError(f"this is not a sound ONNX model: {error}") from error
    weights = folded_weights(model.graph)
    layers: list[nn.Module] = []
    flat = False
    flows = model.graph.input[0].name
    for node in model.graph.node:
        if node.output[0] in weights:
            continue
        if node.input[0] != flows:
            raise ForeignNetworkError(f"{node.name or node.op_type} is a branch, not a link")
        flows = node.output[0]
        if node.op_type == "Dropout":
            continue  # nothing, in use
        if node.op_type not in _LAYERS:
            raise ForeignNetworkError(f"the operator {node.op_type} is not known here")
        flat = flat or node.op_type in {"Flatten", "Gemm"}
        make = _LAYERS[node.op_type]
        if flat and make is _norm_of_maps:
            make = _norm_of_vectors
        layers.append(make(node, weights))
    if flows != model.graph.output[0].name:
        raise ForeignNetworkError("the chain does not end in the network's output")
    return nn.Sequential(*layers).eval().requires_grad_(False)


def folded_weights(graph: onnx.GraphProto) -> Weights:
    """Return every constant of the graph by name, dequantised and in its shape."""
    weights: Weights = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant":
            (value,) = (item.t for item in node.attribute if item.name == "value")
            weights[node.output[0]] = numpy_helper.to_array(value)
        elif node.op_type == "DequantizeLinear" and node.input[0] in weights:
            weights[node.output[0]] = _dequantised(node, weights)
        elif node.op_type == "Reshape" and node.input[0] in weights:
            shape = [int(side) for side in weights[node.input[1]]]
            weights[node.output[0]] = weights[node.input[0]].reshape(shape)
    return weights


def _dequantised(node: onnx.NodeProto, weights: Weights) -> Weight:
    """Return ``(q - zero_point) * scale``; a scale serves ``block_size`` entries along an axis."""
    quantised = weights[node.input[0]].astype(np.float32)
    axis, block = int(_attribute(node, "axis", 1)), int(_attribute(node, "block_size", 0))
    parts = []
    for name in node.input[1:]:
        part = weights[name].astype(np.float32)
        if block:
            part = part.repeat(block, axis=axis).take(range(quantised.shape[axis]), axis=axis)
        elif part.ndim == 1:
            part = part.reshape([-1 if side == axis else 1 for side in range(quantised.ndim)])
        parts.append(part)
    shifted = quantised - parts[1] if len(parts) > 1 else quantised
    folded: Weight = (shifted * parts[0]).astype(np.float32)
    return folded


def _attribute(node: onnx.NodeProto, name: str, default: object) -> float:
    for item in node.attribute:
        if item.name == name:
            default = onnx.helper.get_attribute_value(item)
    return default  # type: ignore[return-value]


def _integers(node: onnx.NodeProto, name: str, default: tuple[int, ...]) -> tuple[int, ...]:
    for item in node.attribute:
        if item.name == name:
            return tuple(item.ints)
    return default


def _tensor(weights: Weights, name: str) -> Tensor:
    return torch.from_numpy(np.array(weights[name], dtype=np.float32))


def _convolution(node: onnx.NodeProto, weights: Weights) -> nn.Module:
    weight = _tensor(weights, node.input[1])
    pads = _integers(node, "pads", (0, 0, 0, 0))
    if pads[:2] != pads[2:] or _integers(node, "dilations", (1, 1)) != (1, 1):
        raise ForeignNetworkError(f"{node.name} is padded unevenly or dilated")
    groups = int(_attribute(node, "group", 1))
    layer = nn.Conv2d(
        weight.shape[1] * groups,
        weight.shape[0],
        tuple(weight.shape[2:]),  # type: ignore[arg-type]
        _integers(node, "strides", (1, 1)),  # type: ignore[arg-type]
        pads[:2],  # type: ignore[arg-type]
        groups=groups,
        bias=len(node.input) > 2,
    )
    layer.weight.data = weight
    if layer.bias is not None:
        layer.bias.data = _tensor(weights, node.input[2])
    return layer


def _norm_of_maps(node: onnx.NodeProto, weights: Weights) -> nn.Module:
    return _filled(nn.BatchNorm2d(weights[node.input[1]].size), node, weights)


def _norm_of_vectors(node: onnx.NodeProto, weights: Weights) -> nn.Module:
    return _filled(nn.BatchNorm1d(weights[node.input[1]].size), node, weights)


def _filled(
    layer: nn.BatchNorm1d | nn.BatchNorm2d, node: onnx.NodeProto, weights: Weights
) -> nn.Module:
    gamma, beta, mean, variance = (_tensor(weights, name) for name in node.input[1:5])
    layer.eps = _attribute(node, "epsilon", 1e-5)
    layer.weight.data, layer.bias.data = gamma, beta
    layer.running_mean, layer.running_var = mean, variance
    return layer


def _prelu(node: onnx.NodeProto, weights: Weights) -> nn.Module:
    slope = _tensor(weights, node.input[1]).flatten()
    layer = nn.PReLU(len(slope))
    layer.weight.data = slope
    return layer


def _linear(node: onnx.NodeProto, weights: Weights) -> nn.Module:
    if _attribute(node, "transA", 0) or _attribute(node, "alpha", 1.0) != 1.0:
        raise ForeignNetworkError(f"{node.name} is no plain linear layer")
    weight = _tensor(weights, node.input[1])
    weight = weight if _attribute(node, "transB", 0) else weight.T.contiguous()
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=len(node.input) > 2)
    layer.weight.data = weight
    if len(node.input) > 2:
        layer.bias.data = _tensor(weights, node.input[2]) * _attribute(node, "beta", 1.0)
    return layer


_LAYERS: dict[str, Callable[[onnx.NodeProto, Weights], nn.Module]] = {
    "Sub": lambda node, weights: Shift(weights[node.input[1]].item()),
    "Mul": lambda node, weights: Scale(weights[node.input[1]].item()),
    "Conv": _convolution,
    "BatchNormalization": _norm_of_maps,
    "PRelu": _prelu,
    "Relu": lambda _node, _weights: nn.ReLU(),
    "Flatten": lambda _node, _weights: nn.Flatten(),
    "Gemm": _linear,
}
