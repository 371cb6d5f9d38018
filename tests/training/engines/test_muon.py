"""Muon in fp32 against NumPy, and against torch's own, which is in bfloat16."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from training.engines.muon import FullPrecisionMuon
from training.foundation.arrays import FloatArray


def stepping(kind: type[torch.optim.Muon], weight: nn.Parameter) -> torch.optim.Muon:
    return kind([weight], lr=0.02, weight_decay=0.01, momentum=0.95)


def slow_step(weight: FloatArray, gradient: FloatArray, buffer: FloatArray) -> FloatArray:
    """Return the weight after a step; ``buffer`` is changed in place."""
    buffer += 0.05 * (gradient - buffer)
    update = gradient + 0.95 * (buffer - gradient)
    update = update / np.linalg.norm(update)
    for _ in range(5):
        gram = update @ update.T
        update = 3.4445 * update + (-4.7750 * gram + 2.0315 * gram @ gram) @ update
    rows, columns = weight.shape
    stepped: FloatArray = weight * (1 - 0.02 * 0.01) - 0.02 * max(1, rows / columns) ** 0.5 * update
    return stepped


@pytest.mark.parametrize("shape", [(4, 9), (9, 4), (5, 5)])
def test_three_steps_are_those_of_the_formula(shape: tuple[int, int]) -> None:
    generator = torch.Generator().manual_seed(1)
    weight = nn.Parameter(torch.randn(shape, generator=generator))
    torchs = nn.Parameter(weight.detach().clone())
    slow, buffer = weight.detach().numpy().astype(np.float64), np.zeros(shape)
    ours = stepping(FullPrecisionMuon, weight)
    theirs = stepping(torch.optim.Muon, torchs)
    for _ in range(3):
        gradient = torch.randn(shape, generator=generator)
        weight.grad, torchs.grad = gradient.clone(), gradient.clone()
        ours.step()
        theirs.step()
        slow = slow_step(slow, gradient.numpy().astype(np.float64), buffer)
    np.testing.assert_allclose(weight.detach().numpy(), slow, atol=1e-5)
    np.testing.assert_allclose(torchs.detach().numpy(), slow, atol=2e-3)
    assert not np.allclose(torchs.detach().numpy(), slow, atol=1e-6)  # bfloat16 is heard


def test_either_takes_up_the_state_of_the_other() -> None:
    one, two = (nn.Parameter(torch.ones(3, 4)) for _ in range(2))
    ours, theirs = stepping(FullPrecisionMuon, one), stepping(torch.optim.Muon, two)
    one.grad = torch.arange(12.0).reshape(3, 4)
    ours.step()
    theirs.load_state_dict(ours.state_dict())
    assert torch.equal(theirs.state[two]["momentum_buffer"], ours.state[one]["momentum_buffer"])
    ours.load_state_dict(theirs.state_dict())


def test_a_weight_without_a_gradient_stays() -> None:
    weight = nn.Parameter(torch.ones(3, 4))
    stepping(FullPrecisionMuon, weight).step()
    assert torch.equal(weight, torch.ones(3, 4))
