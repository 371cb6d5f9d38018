"""Weights in bytes: stored so before, they come back; else they move by half a level."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from training.networks.quantised import (
    LEVELS,
    QuantisedLinear,
    QuantisedMatrix,
    QuantisedPointwise,
    quantise_large,
)


@given(st.integers(1, 6), st.integers(1, 4), st.sampled_from([1, 4, 64]), st.integers(0, 99))
def test_no_weight_moves_by_more_than_half_a_level(
    rows: int, blocks: int, block: int, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    matrix = torch.randn(rows, blocks * block, generator=generator)
    restored = QuantisedMatrix(matrix, block)()
    cells = matrix.reshape(rows, blocks, block)
    levels = (cells.amax(2, keepdim=True) - cells.amin(2, keepdim=True)) / LEVELS
    error = (restored.reshape(cells.shape) - cells).abs()
    assert bool((error <= levels / 2 + 1e-6).all())


def test_weights_that_lie_on_levels_come_back() -> None:
    codes = torch.randint(0, 256, (5, 3, 64), generator=torch.Generator().manual_seed(3)).float()
    codes[..., 0], codes[..., 1] = 0, 255  # both ends are in use, as a publisher would have it
    matrix = ((codes - 97) * torch.rand(5, 3, 1)).reshape(5, 192)
    torch.testing.assert_close(QuantisedMatrix(matrix, 64)(), matrix, rtol=1e-5, atol=1e-4)


def test_a_block_of_equal_weights_comes_back() -> None:
    matrix = torch.full((2, 8), 0.7)
    torch.testing.assert_close(QuantisedMatrix(matrix, 4)(), matrix, rtol=0, atol=0)


def test_half_a_block_is_refused() -> None:
    with pytest.raises(ValueError, match="no whole blocks of 64"):
        QuantisedMatrix(torch.zeros(2, 65), 64)


def test_large_layers_of_a_chain_are_stored_as_bytes_and_answer_the_same() -> None:
    torch.manual_seed(0)
    chain = nn.Sequential(
        nn.Conv2d(3, 512, 3, stride=2),
        nn.Conv2d(512, 512, 1, bias=False),
        nn.Conv2d(512, 512, 1, stride=2),
        nn.Flatten(),
        nn.Linear(2048, 128),
        nn.Linear(128, 8),
    ).eval()
    small = quantise_large(chain)
    kinds = [type(layer) for layer in small]
    assert kinds == [
        nn.Conv2d,
        QuantisedPointwise,
        nn.Conv2d,
        nn.Flatten,
        QuantisedLinear,
        nn.Linear,
    ]
    pictures = torch.randn(2, 3, 9, 9)
    with torch.inference_mode():
        scripted = torch.jit.freeze(torch.jit.script(small))
        torch.testing.assert_close(small(pictures), chain(pictures), rtol=0, atol=0.02)
        torch.testing.assert_close(scripted(pictures), small(pictures), rtol=0, atol=1e-5)
    assert "codes" not in str(scripted.graph)  # loading made plain matrices of them, once
