from __future__ import annotations

import torch
from torch import nn

from app.embedding.openvino import BFLOAT16, cpu_capabilities
from training.networks.cost import measure_costs
from training.networks.quantised import quantise_large


def test_a_cost_is_counted_and_timed_by_every_runtime_of_this_cpu() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.Flatten())
    network.append(nn.Linear(4 * 56 * 56, 8))
    threads = torch.get_num_threads()
    seconds = iter(range(0, 9000, 3))
    costs = measure_costs({"a": network, "b": network}, rounds=2, clock=lambda: next(seconds))
    assert list(costs) == ["a", "b"]
    for cost in costs.values():
        assert cost.parameters == (3 * 9 + 1) * 4 + (4 * 56 * 56 + 1) * 8
        assert cost.multiplications == 56 * 56 * 4 * 27 + 4 * 56 * 56 * 8
        assert cost.milliseconds == cost.openvino_milliseconds == 3000.0
        bfloat16 = 3000.0 if BFLOAT16 in cpu_capabilities() else None
        assert cost.bfloat16_milliseconds == bfloat16
    assert torch.get_num_threads() == threads


def test_an_exported_module_is_timed_with_all_its_weights() -> None:
    chain = nn.Sequential(nn.Flatten(), nn.Linear(3 * 112 * 112, 64)).eval()
    module = torch.jit.script(quantise_large(chain))
    seconds = iter(range(1000))
    measured = measure_costs({"exported": module}, 1, lambda: next(seconds))["exported"]
    assert measured.parameters == 64 * 3 * 112 * 112  # the bias is a buffer here
    assert measured.multiplications is None
    assert measured.milliseconds == 1000.0
