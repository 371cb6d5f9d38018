"""The correction of hubs against its formula, written out in numpy, and what it is for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.made_data import TinyTeacher
from training.export.package import write_module
from training.export.parity import made_patterns
from training.networks.hubness import EMPTIEST, LIMIT, CrowdAware, HubnessCorrection, crowdedness

DIM = 12


def unit_rows(seed: int, count: int) -> torch.Tensor:
    """Return random unit rows ``(count, DIM)``."""
    generator = torch.Generator().manual_seed(seed)
    return F.normalize(torch.randn(count, DIM, generator=generator), dim=1)


def correction(strength: float = 0.4, offset: float = 0.4) -> HubnessCorrection:
    """Return a correction with nine centres, three of which make a crowd."""
    return HubnessCorrection(unit_rows(1, 9), 0.3, strength, offset, 3)


def test_it_is_what_the_formula_says_row_by_row() -> None:
    rows, made = unit_rows(2, 5), correction()
    centres = made.centres.numpy()
    for row, out in zip(rows.numpy(), made(rows).numpy(), strict=True):
        crowd = np.sort(centres @ row)[::-1][:3].mean()
        last = 0.4 - (1 - 0.4**2) / 0.4 * 0.4 * max(crowd - 0.3, -EMPTIEST)
        wanted = np.append(row * np.sqrt(1 - last**2), last)
        np.testing.assert_allclose(out, wanted, atol=1e-6)


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 10_000), strength=st.floats(0, 5), offset=st.floats(0.01, 0.89))
def test_what_comes_out_is_unit_and_a_face_stays_alike_to_itself(
    seed: int, strength: float, offset: float
) -> None:
    out = correction(strength, offset)(unit_rows(seed, 4))
    assert out.shape == (4, DIM + 1)
    torch.testing.assert_close(out.norm(dim=1), torch.ones(4))
    assert float(out[:, -1].abs().max()) <= LIMIT + 1e-6


def test_to_first_order_both_crowds_are_taken_from_a_similarity() -> None:
    # Small strength, so that what the formula leaves out is small against what it says.
    strength, offset = 0.02, 0.5
    made, rows = correction(strength, offset), unit_rows(3, 40)
    crowd = strength * (crowdedness(rows, made.centres, 3) - 0.3).clamp(min=-EMPTIEST)
    cosine = rows @ rows.T
    told = offset**2 + (1 - offset**2) * (cosine - (1 - cosine) * (crowd[:, None] + crowd))
    out = made(rows)
    torch.testing.assert_close(out @ out.T, told, rtol=0, atol=5e-4)


def test_strangers_in_a_crowd_come_out_less_alike_than_strangers_outside() -> None:
    crowd, elsewhere, across = torch.eye(DIM)[:3]
    made = HubnessCorrection(torch.stack([crowd, -crowd]), 0.3, 0.4, 0.4, 1)
    angle = torch.tensor(0.6)

    def alike(middle: torch.Tensor) -> tuple[float, float]:
        """Return the cosine of two faces on either side of ``middle``, before and after."""
        pair = torch.stack([middle * angle.cos() + s * across * angle.sin() for s in (1, -1)])
        return float(pair[0] @ pair[1]), float(made(pair)[0] @ made(pair)[1])

    assert alike(crowd)[0] == pytest.approx(alike(elsewhere)[0], abs=1e-5)
    assert alike(crowd)[1] < alike(elsewhere)[1] - 0.1


def test_what_is_far_from_everybody_is_no_likelier_one_person_for_it() -> None:
    far = -torch.eye(DIM)[:1]
    made = HubnessCorrection(torch.eye(DIM)[:1], 0.3, 0.4, 0.4, 1)
    rows = F.normalize(far + torch.tensor([[0.0, 1.0, *[0.0] * (DIM - 2)], [0.0] * DIM]), dim=1)
    last = 0.4 + (1 - 0.4**2) / 0.4 * 0.4 * EMPTIEST
    torch.testing.assert_close(made(rows)[:, -1], torch.full((2,), last))


def test_without_strength_the_order_of_similarities_is_as_before() -> None:
    rows = unit_rows(5, 20)
    out = correction(strength=0.0)(rows)
    torch.testing.assert_close(out @ out.T, 0.16 + 0.84 * rows @ rows.T)


@pytest.mark.slow
def test_it_goes_into_the_served_file_and_answers_alike_there(tmp_path: Path) -> None:
    network = CrowdAware(TinyTeacher(1, DIM), correction()).eval()
    parity = write_module(network, tmp_path / "embedder.pt", made_patterns()[:4])
    assert parity.holds
