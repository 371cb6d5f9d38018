"""What a student costs: parameters, multiplications, and milliseconds on one core."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from app.embedding.openvino import BFLOAT16, compile_by_openvino, cpu_capabilities
from training.networks.students import make_student
from training.recipes.recipe import StudentRecipe

WARM_UP = 5


@dataclass(frozen=True)
class NetworkCost:
    """Milliseconds are medians of one crop on one thread.

    ``multiplications`` is None for an exported module, whose layers are not told apart.
    ``milliseconds``: frozen TorchScript in fp32. ``openvino_milliseconds``: OpenVINO in fp32;
    ``bfloat16_milliseconds``: in bfloat16, None on a CPU without it.
    """

    parameters: int
    multiplications: int | None
    milliseconds: float
    openvino_milliseconds: float
    bfloat16_milliseconds: float | None


def make_students(recipes: Mapping[str, StudentRecipe]) -> dict[str, nn.Module]:
    """Return a student for each recipe; what its weights are does not change its cost."""
    return {name: make_student(recipe) for name, recipe in recipes.items()}


def measure_costs(
    networks: Mapping[str, nn.Module],
    rounds: int = 30,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, NetworkCost]:
    """Return the cost of each network; all are timed in turns, so that their ratios hold.

    ``clock`` tells seconds.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    students = {name: network.eval() for name, network in networks.items()}
    crop = torch.rand(1, 3, 112, 112) * 255
    runs = {
        (name, runtime): run
        for name, student in students.items()
        for runtime, run in _runs(student, crop).items()
    }
    times: dict[tuple[str, str], list[float]] = {key: [] for key in runs}
    with torch.inference_mode():
        for _ in range(rounds + WARM_UP):
            for key, run in runs.items():
                started = clock()
                run()
                times[key].append(clock() - started)
    torch.set_num_threads(threads)
    medians = {key: statistics.median(spent[WARM_UP:]) * 1e3 for key, spent in times.items()}
    return {
        name: NetworkCost(
            parameters=count_weights(student),
            multiplications=count_multiplications(student, crop),
            milliseconds=medians[name, "torchscript"],
            openvino_milliseconds=medians[name, "openvino"],
            bfloat16_milliseconds=medians.get((name, "openvino-bf16")),
        )
        for name, student in students.items()
    }


def count_weights(network: nn.Module) -> int:
    """Return the trained numbers of a network, those stored in bytes among them."""
    stored = (buffer for buffer in network.buffers() if buffer.dtype == torch.uint8)
    return sum(tensor.numel() for tensor in (*network.parameters(), *stored))


def _runs(network: nn.Module, crop: Tensor) -> dict[str, Callable[[], object]]:
    """Return one inference of the crop by each runtime that this CPU has."""
    frozen = torch.jit.freeze(torch.jit.script(network))
    example = crop.numpy()
    plain = compile_by_openvino(frozen, example, bfloat16=False, streams=1)
    runs: dict[str, Callable[[], object]] = {
        "torchscript": lambda: frozen(crop),
        "openvino": lambda: plain(example),
    }
    if BFLOAT16 in cpu_capabilities():
        short = compile_by_openvino(frozen, example, bfloat16=True, streams=1)
        runs["openvino-bf16"] = lambda: short(example)
    return runs


def count_multiplications(network: nn.Module, example: Tensor) -> int | None:
    """Return the multiply-accumulates of the convolutions and linear layers for one example.

    None for an exported module.
    """
    if isinstance(network, torch.jit.ScriptModule):
        return None
    total = 0

    def count(module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        if isinstance(module, nn.Conv2d):
            kernel = module.kernel_size[0] * module.kernel_size[1]
            total += output.numel() * kernel * module.in_channels // module.groups
        elif isinstance(module, nn.Linear):
            total += output.numel() * module.in_features

    hooks = [m.register_forward_hook(count) for m in network.modules()]
    with torch.inference_mode():
        network(example)
    for hook in hooks:
        hook.remove()
    return total
