"""Folding and translating against ONNX's own reference evaluator, on a small network."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from training.foundation.errors import ForeignNetworkError
from training.networks.published.onnx_chain import folded_weights, read_chain

RANDOM = np.random.default_rng(7)


def constant(name: str, *shape: int, positive: bool = False) -> onnx.TensorProto:
    values = RANDOM.normal(size=shape).astype(np.float32)
    return numpy_helper.from_array(np.abs(values) + 0.5 if positive else values, name)


def norm(name: str, flows: str, channels: int) -> tuple[onnx.NodeProto, list[onnx.TensorProto]]:
    parts = [constant(f"{name}_{part}", channels) for part in ("gamma", "beta", "mean")]
    parts.append(constant(f"{name}_variance", channels, positive=True))
    names = [flows, *(part.name for part in parts)]
    return helper.make_node("BatchNormalization", names, [name], name=name, epsilon=1e-3), parts


def quantised(
    name: str, rows: int, columns: int, block: int
) -> tuple[onnx.NodeProto, list[onnx.TensorProto]]:
    blocks = -(-columns // block)
    q = RANDOM.integers(-127, 127, (rows, columns)).astype(np.int8)
    scales = RANDOM.uniform(0.01, 0.05, (rows, blocks)).astype(np.float32)
    zeros = RANDOM.integers(-3, 3, (rows, blocks)).astype(np.int8)
    parts = [
        numpy_helper.from_array(array, f"{name}_{part}")
        for array, part in ((q, "q"), (scales, "scales"), (zeros, "zeros"))
    ]
    names = [part.name for part in parts]
    return (
        helper.make_node("DequantizeLinear", names, [f"{name}_flat"], axis=1, block_size=block),
        parts,
    )


def made_model(extra: list[onnx.NodeProto] | None = None, output: str = "embedding") -> bytes:
    """Return a chain of the operators that SFace has, with 8 x 8 pictures and 5 outputs."""
    fold, fold_parts = quantised("kernel", 6, 27, 9)
    dense, dense_parts = quantised("dense", 5, 6 * 16, 64)
    first_norm, first_parts = norm("norm1", "conv", 6)
    last_norm, last_parts = norm(output, "linear", 5)
    shape = numpy_helper.from_array(np.array([6, 3, 3, 3], np.int64), "kernel_shape")
    minus, times = (
        numpy_helper.from_array(np.array([value], np.float32), name)
        for value, name in ((127.5, "minus"), (1 / 128, "times"))
    )
    nodes = [
        fold,
        dense,
        helper.make_node("Reshape", ["kernel_flat", "kernel_shape"], ["kernel"]),
        helper.make_node("Sub", ["data", "minus"], ["shifted"]),
        helper.make_node("Mul", ["shifted", "times"], ["scaled"]),
        helper.make_node(
            "Conv", ["scaled", "kernel"], ["conv"], strides=[2, 2], pads=[1, 1, 1, 1], group=1
        ),
        first_norm,
        helper.make_node("PRelu", ["norm1", "slope"], ["prelu"]),
        helper.make_node("Flatten", ["prelu"], ["flat"]),
        helper.make_node("Gemm", ["flat", "dense_flat", "bias"], ["linear"], transB=1),
        last_norm,
        *(extra or []),
    ]
    weights = [
        *(*fold_parts, *dense_parts, *first_parts, *last_parts, shape, minus, times),
        constant("slope", 6, 1, 1),
        constant("bias", 5),
    ]
    graph = helper.make_graph(
        nodes,
        "made",
        [helper.make_tensor_value_info("data", TensorProto.FLOAT, ["n", 3, 8, 8])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", 5])],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    content: bytes = model.SerializeToString()
    return content


def test_the_chain_says_what_the_reference_evaluator_says() -> None:
    content = made_model()
    pictures = RANDOM.uniform(0, 255, (3, 3, 8, 8)).astype(np.float32)
    evaluator = ReferenceEvaluator(onnx.load_model_from_string(content))
    answers = evaluator.run(None, {"data": pictures})
    assert isinstance(answers, list)
    expected = np.asarray(answers[0])
    answer = read_chain(content)(torch.from_numpy(pictures)).numpy()
    np.testing.assert_allclose(answer, expected, rtol=1e-4, atol=1e-4)


def test_folding_multiplies_each_block_by_its_own_scale() -> None:
    model = onnx.load_model_from_string(made_model())
    stored = {item.name: numpy_helper.to_array(item) for item in model.graph.initializer}
    folded = folded_weights(model.graph)["dense_flat"]
    for row in range(5):
        for column in range(96):
            q, block = float(stored["dense_q"][row, column]), column // 64
            expected = (q - stored["dense_zeros"][row, block]) * stored["dense_scales"][row, block]
            assert folded[row, column] == pytest.approx(expected)


def test_a_chain_can_be_scripted_for_the_service() -> None:
    chain = read_chain(made_model())
    pictures = torch.rand(2, 3, 8, 8) * 255
    torch.testing.assert_close(torch.jit.script(chain)(pictures), chain(pictures))


def test_a_branch_is_refused_with_its_name() -> None:
    branch = helper.make_node("Relu", ["conv"], ["aside"], name="aside")
    with pytest.raises(ForeignNetworkError, match="aside is a branch"):
        read_chain(made_model([branch]))


def test_an_unknown_operator_is_refused_with_its_name() -> None:
    softmax = helper.make_node("Softmax", ["last"], ["embedding"], name="soft")
    with pytest.raises(ForeignNetworkError, match="Softmax"):
        read_chain(made_model([softmax], output="last"))


def test_a_file_that_is_no_model_is_refused() -> None:
    with pytest.raises(ForeignNetworkError, match="not a sound ONNX model"):
        read_chain(b"not a model")
