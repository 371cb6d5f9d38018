"""What a student costs: parameters, multiplications, and milliseconds on one core."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from training.networks.students import make_student
from training.recipe import StudentRecipe


@dataclass(frozen=True)
class NetworkCost:
    """``milliseconds``: median of one crop on one thread, frozen TorchScript in fp32."""

    parameters: int
    multiplications: int
    milliseconds: float


def make_students(recipes: Mapping[str, StudentRecipe]) -> dict[str, nn.Module]:
    """Return a student with random weights for each recipe."""
    return {name: make_student(recipe) for name, recipe in recipes.items()}


def measure_costs(networks: Mapping[str, nn.Module], rounds: int = 30) -> dict[str, NetworkCost]:
    """Return the cost of each network; all are timed in turns, so that their ratios hold."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    students = {name: network.eval() for name, network in networks.items()}
    crop = torch.rand(1, 3, 112, 112) * 255
    frozen = {name: torch.jit.freeze(torch.jit.script(s)) for name, s in students.items()}
    times: dict[str, list[float]] = {name: [] for name in students}
    with torch.inference_mode():
        for _ in range(rounds + 5):
            for name, module in frozen.items():
                started = time.perf_counter()
                module(crop)
                times[name].append(time.perf_counter() - started)
    torch.set_num_threads(threads)
    return {
        name: NetworkCost(
            parameters=sum(weight.numel() for weight in student.parameters()),
            multiplications=count_multiplications(student, crop),
            milliseconds=statistics.median(times[name][5:]) * 1e3,
        )
        for name, student in students.items()
    }


def count_multiplications(network: nn.Module, example: Tensor) -> int:
    """Return the multiply-accumulates of the convolutions and linear layers for one example."""
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
