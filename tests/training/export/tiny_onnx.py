"""A small ONNX network in the shape of ArcFace's, built from its operations by the tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

DIM = 32
CELL = 14  # of 112 px: 8 x 8 cells


def projection() -> npt.NDArray[np.float32]:
    """Return the weights from 3 x 8 x 8 cells to the embedding, ``(192, DIM)``."""
    return np.random.default_rng(5).normal(0, 1, (3 * 64, DIM)).astype(np.float32)


def tiny_arcface(
    shape: tuple[int | str, ...] = ("N", 3, 112, 112),
    *,
    kind: int = TensorProto.FLOAT,
    outputs: int = 1,
    opset: int = 13,
    scales_itself: bool = False,
    dim: int = DIM,
    batch: int = 0,
    added: int = 0,
) -> onnx.ModelProto:
    """Return a network: means of cells, then a projection.

    ``batch``: how many pictures it is reshaped to inside; ``added``: for how many nothing is added.
    """
    weights = projection()[:, :dim]
    names = ["embedding", *(f"also_{number}" for number in range(1, outputs))]
    start = "pixels"
    nodes, constants = [], [numpy_helper.from_array(weights, "weights")]
    if scales_itself:
        constants += [
            numpy_helper.from_array(np.array(127.5, np.float32), "mean"),
            numpy_helper.from_array(np.array(1 / 127.5, np.float32), "factor"),
        ]
        nodes += [
            helper.make_node("Sub", ["pixels", "mean"], ["centred"]),
            helper.make_node("Mul", ["centred", "factor"], ["scaled"]),
        ]
        start = "scaled"
    nodes.append(
        helper.make_node(
            "AveragePool", [start], ["cells"], kernel_shape=[CELL] * 2, strides=[CELL] * 2
        )
    )
    if batch:
        constants.append(numpy_helper.from_array(np.array([batch, 3 * 64], np.int64), "shape"))
        nodes.append(helper.make_node("Reshape", ["cells", "shape"], ["flat"]))
    else:
        nodes.append(helper.make_node("Flatten", ["cells"], ["flat"], axis=1))
    if added:
        constants.append(numpy_helper.from_array(np.zeros((added, 3 * 64), np.float32), "nothing"))
        nodes.append(helper.make_node("Add", ["flat", "nothing"], ["sum"]))
    flat = "sum" if added else "flat"
    nodes += [helper.make_node("MatMul", [flat, "weights"], [name]) for name in names]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("pixels", kind, list(shape))],
        [helper.make_tensor_value_info(name, kind, [None, dim]) for name in names],
        constants,
    )
    imports = [helper.make_opsetid("", opset)]
    return helper.make_model(graph, opset_imports=imports, ir_version=8)


def write_tiny(path: Path, **changes: object) -> Path:
    """Write such a network and return the path."""
    onnx.save(tiny_arcface(**changes), str(path))  # type: ignore[arg-type]
    return path


def expected(
    crops: npt.NDArray[np.uint8], minus: float, by: float, *, bgr: bool
) -> npt.NDArray[np.float64]:
    """Return what the network says of RGB crops, by numpy alone: unit rows ``(N, DIM)``."""
    pixels = (crops.astype(np.float64) - minus) / by
    if bgr:
        pixels = pixels[:, ::-1]
    cells = pixels.reshape(len(pixels), 3, 8, CELL, 8, CELL).mean(axis=(3, 5))
    rows = cells.reshape(len(pixels), -1) @ projection().astype(np.float64)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))
