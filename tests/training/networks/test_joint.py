"""Two networks as one: the mean of their cosines, where the head only turns."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from tests.training.made_data import TinyTeacher
from training.networks.joint import JointNetwork


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_the_cosine_is_the_weighted_mean_of_both(share: float) -> None:
    torch.manual_seed(0)
    one, two = TinyTeacher(1, 10), TinyTeacher(2, 7)
    turn = torch.nn.Linear(17, 17, bias=False)
    torch.nn.init.orthogonal_(turn.weight)
    crops = torch.rand(5, 3, 112, 112) * 255

    def cosines(embeddings: torch.Tensor) -> torch.Tensor:
        unit = F.normalize(embeddings, dim=1)
        return unit @ unit.T

    with torch.inference_mode():
        joint = cosines(JointNetwork(one, two, share, turn)(crops))
        wanted = share * cosines(one(crops)) + (1 - share) * cosines(two(crops))
    torch.testing.assert_close(joint, wanted, rtol=0, atol=1e-5)
