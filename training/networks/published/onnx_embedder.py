"""Any ArcFace-shaped ONNX network as a file of our contract: bytes in, unit embeddings out.

What the network needs before it (order of channels, range) and after it (unit length) is added to
its graph, so that nobody who runs the file has to know it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from training.foundation.errors import ForeignNetworkError
from training.networks.published.onnx_chain import folded_weights
from training.networks.served import OnnxModule

FACE_SIZE = 112
CHANNELS = 3
#: From this operator set on, arithmetic broadcasts as it is written here (ONNX operators 7).
MIN_OPSET = 7
#: Of these one output must be the embedding; a shorter one is a class or a quality.
MIN_DIM = 16
#: From this version of the format on, weights need not be listed as inputs.
_IR_VERSION = 4
_OURS = "facegate_"
#: Where insightface's own reader looks for a network's own scaling: among the first nodes.
_FIRST_NODES = 8


class Preprocess(StrEnum):
    """How a network wants its pixels, of 0 to 255.

    ``ARCFACE`` is what insightface's own reader does: as they are where the graph begins with its
    own subtraction and multiplication, and -1 to 1 elsewhere.
    """

    ARCFACE = "arcface"
    MINUS_ONE_TO_ONE = "minus-one-to-one"
    MINUS_ONE_TO_ONE_128 = "minus-one-to-one-128"
    ZERO_TO_ONE = "0-1"
    BYTES = "0-255"
    IMAGENET = "imagenet"


#: What is subtracted and what it is divided by, for red, green and blue.
_SCALES: dict[Preprocess, tuple[tuple[float, ...], tuple[float, ...]]] = {
    Preprocess.MINUS_ONE_TO_ONE: ((127.5,) * 3, (127.5,) * 3),
    Preprocess.MINUS_ONE_TO_ONE_128: ((127.5,) * 3, (128.0,) * 3),
    Preprocess.ZERO_TO_ONE: ((0.0,) * 3, (255.0,) * 3),
    Preprocess.BYTES: ((0.0,) * 3, (1.0,) * 3),
    Preprocess.IMAGENET: ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375)),
}


@dataclass(frozen=True)
class ForeignEmbedder:
    """A sound ONNX network with one picture in and one embedding out, and how to feed it."""

    model: onnx.ModelProto
    preprocess: Preprocess
    bgr: bool

    @property
    def scales_itself(self) -> bool:
        """Whether the graph begins with a subtraction and a multiplication of its own."""
        first = {node.op_type for node in self.model.graph.node[:_FIRST_NODES]}
        return {"Sub", "Mul"} <= first

    @property
    def scale(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """What is subtracted from red, green and blue, and what they are divided by then."""
        if self.preprocess is not Preprocess.ARCFACE:
            return _SCALES[self.preprocess]
        own = Preprocess.BYTES if self.scales_itself else Preprocess.MINUS_ONE_TO_ONE
        return _SCALES[own]

    @property
    def described(self) -> str:
        """What kind of network this is, in words."""
        graph = self.model.graph
        weights = sum(int(np.prod(item.dims)) for item in graph.initializer)
        return f"an ONNX network of {len(graph.node)} operations, {weights / 1e6:.1f} M weights"


def read_foreign(
    path: Path, preprocess: Preprocess, *, bgr: bool, output: str | None = None
) -> ForeignEmbedder:
    """Return the network of an ONNX file, whose embedding is ``output`` where it has several.

    Weights that are quantised in blocks, which few runtimes open, are folded to plain numbers.
    Raises ``ForeignNetworkError`` where the file is no ONNX model, or does not take aligned faces
    of 112 px and give embeddings.
    """
    try:
        model = onnx.load(str(path))
        onnx.checker.check_model(model)
    except Exception as error:  # protobuf's and the checker's errors have no common base
        said = str(error).strip().splitlines()[0]
        raise ForeignNetworkError(f"{path} is not a sound ONNX model: {said}") from error
    opset = max(
        (one.version for one in model.opset_import if one.domain in {"", "ai.onnx"}), default=0
    )
    if opset < MIN_OPSET:
        raise ForeignNetworkError(
            f"{path} is of ONNX operator set {opset}; {MIN_OPSET} or later is needed "
            "(onnx.version_converter converts it)"
        )
    _fold_blocks(model.graph)
    _require_face_input(model.graph, path)
    model.ir_version = max(model.ir_version, _IR_VERSION)
    _keep_output(model.graph, output, path)
    return ForeignEmbedder(model, preprocess, bgr)


def write_contract(foreign: ForeignEmbedder, path: Path) -> None:
    """Write the network with what it needs around it: uint8 RGB crops in, unit vectors out."""
    model = onnx.ModelProto()
    model.CopyFrom(foreign.model)
    graph = model.graph
    (wanted,), (given,) = _inputs(graph), graph.output
    before = _nodes_before(foreign, wanted.name, graph)
    after = [
        helper.make_node("Flatten", [given.name], [f"{_OURS}flat"], axis=1),
        helper.make_node("LpNormalization", [f"{_OURS}flat"], [f"{_OURS}embedding"], axis=1, p=2),
    ]
    nodes = [*before, *graph.node, *after]
    del graph.node[:], graph.input[:], graph.output[:], graph.value_info[:]
    graph.node.extend(nodes)
    shape: list[str | int | None] = ["N", CHANNELS, FACE_SIZE, FACE_SIZE]
    graph.input.append(helper.make_tensor_value_info(f"{_OURS}crops", TensorProto.UINT8, shape))
    graph.output.append(
        helper.make_tensor_value_info(f"{_OURS}embedding", TensorProto.FLOAT, ["N", "D"])
    )
    onnx.save(model, str(path))


class ForeignReference(nn.Module):
    """The network as it came, fed by numpy: what the written file must agree with."""

    def __init__(self, foreign: ForeignEmbedder, folder: Path) -> None:
        """Write the network into ``folder`` and load it; raises ``ForeignNetworkError``."""
        super().__init__()
        minus, by = (np.array(part, np.float32).reshape(1, 3, 1, 1) for part in foreign.scale)
        self._minus, self._by, self._bgr = minus, by, foreign.bgr
        path = folder / "as-it-came.onnx"
        onnx.save(foreign.model, str(path))
        self._network = OnnxModule(path, np.zeros((1, 3, FACE_SIZE, FACE_SIZE), np.float32))

    def forward(self, crops: Tensor) -> Tensor:
        """Return embeddings ``(N, D)`` of RGB crops in 0..255, each by itself."""
        pixels = (crops.numpy().astype(np.float32) - self._minus) / self._by
        if self._bgr:
            pixels = pixels[:, ::-1]
        rows = [self._network.answer(pixels[row : row + 1]) for row in range(len(pixels))]
        return torch.from_numpy(np.concatenate([row.reshape(1, -1) for row in rows]))


def _nodes_before(
    foreign: ForeignEmbedder, name: str, graph: onnx.GraphProto
) -> list[onnx.NodeProto]:
    """Return what turns bytes into the network's input ``name``; its constants join the graph."""
    minus, by = foreign.scale
    constants: dict[str, np.typing.NDArray[np.generic]] = {
        "minus": np.array(minus, np.float32).reshape(1, 3, 1, 1),
        "by": np.array(by, np.float32).reshape(1, 3, 1, 1),
        "bgr": np.array([2, 1, 0], np.int64),
    }
    for key, value in constants.items():
        graph.initializer.append(numpy_helper.from_array(value, f"{_OURS}{key}"))
    scaled = f"{_OURS}scaled" if foreign.bgr else name
    nodes = [
        helper.make_node("Cast", [f"{_OURS}crops"], [f"{_OURS}float"], to=TensorProto.FLOAT),
        helper.make_node("Sub", [f"{_OURS}float", f"{_OURS}minus"], [f"{_OURS}centred"]),
        helper.make_node("Div", [f"{_OURS}centred", f"{_OURS}by"], [scaled]),
    ]
    if foreign.bgr:
        nodes.append(helper.make_node("Gather", [scaled, f"{_OURS}bgr"], [name], axis=1))
    return nodes


def _inputs(graph: onnx.GraphProto) -> list[onnx.ValueInfoProto]:
    """Return the inputs that are no weights, which old exports list too, used or not."""
    weights = {item.name for item in graph.initializer}
    read = {name for node in graph.node for name in node.input}
    return [item for item in graph.input if item.name in read - weights]


def _require_face_input(graph: onnx.GraphProto, path: Path) -> None:
    found = _inputs(graph)
    if len(found) != 1:
        names = ", ".join(item.name for item in found)
        raise ForeignNetworkError(
            f"{path} has {len(found)} inputs ({names}); a face is one picture"
        )
    tensor = found[0].type.tensor_type
    if tensor.elem_type != TensorProto.FLOAT:
        kind = TensorProto.DataType.Name(tensor.elem_type)
        raise ForeignNetworkError(f"{path} takes {kind}, not float32 pixels")
    shape = [item.dim_value if item.HasField("dim_value") else None for item in tensor.shape.dim]
    shown = " x ".join("?" if side is None else str(side) for side in shape)
    if len(shape) == 4 and shape[3] == CHANNELS and shape[1] != CHANNELS:
        raise ForeignNetworkError(
            f"{path} takes {shown}: channels last; export it with channels first, N x 3 x 112 x 112"
        )
    if len(shape) != 4 or shape[1] != CHANNELS:
        raise ForeignNetworkError(f"{path} takes {shown}, not N x 3 x 112 x 112 pictures")
    if None in shape[2:]:
        raise ForeignNetworkError(
            f"{path} takes {shown}: only the number of pictures may be open; export it with a "
            "height and width of 112"
        )
    if shape[2:] != [FACE_SIZE, FACE_SIZE]:
        raise ForeignNetworkError(
            f"{path} takes {shown} pictures; the service shows faces of {FACE_SIZE} x {FACE_SIZE} "
            "on the ArcFace template, and a network of another crop would be shown the wrong one"
        )
    # How many pictures come at once is open in the contract; the parity proof tries several.
    tensor.shape.dim[0].dim_param = "N"
    kept = onnx.ValueInfoProto()
    kept.CopyFrom(found[0])
    del graph.input[:]
    graph.input.append(kept)


def _keep_output(graph: onnx.GraphProto, wanted: str | None, path: Path) -> None:
    names = [item.name for item in graph.output]
    if wanted is None and len(names) != 1:
        raise ForeignNetworkError(
            f"{path} has {len(names)} outputs ({', '.join(names)}); --output names the embedding"
        )
    chosen = wanted or names[0]
    if chosen not in names:
        raise ForeignNetworkError(f"{path} has no output {chosen!r}; it has {', '.join(names)}")
    kept = next(item for item in graph.output if item.name == chosen)
    shape = [one.dim_value for one in kept.type.tensor_type.shape.dim]
    if shape and shape[-1] and len(shape) == 2 and shape[-1] < MIN_DIM:
        raise ForeignNetworkError(
            f"{path} gives {shape[-1]} numbers; an embedding has {MIN_DIM} at least"
        )
    plain = helper.make_tensor_value_info(chosen, TensorProto.FLOAT, None)
    del graph.output[:]
    graph.output.append(plain)


def _fold_blocks(graph: onnx.GraphProto) -> None:
    """Replace weights that are quantised in blocks by plain numbers."""
    blocks = [
        node
        for node in graph.node
        if node.op_type == "DequantizeLinear"
        and any(one.name == "block_size" for one in node.attribute)
    ]
    if not blocks:
        return
    weights = folded_weights(graph)
    folded = [node for node in graph.node if node.output[0] in weights]
    used = {name for node in graph.node if node not in folded for name in node.input}
    kept = [node for node in graph.node if node not in folded]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(kept)
    for name in sorted(used & weights.keys()):
        graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(weights[name]), name))
