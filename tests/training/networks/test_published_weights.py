from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.training.networks.published_file import (
    random_tensors,
    run_published,
    write_published,
)
from training.engine.checkpoint import CheckpointError
from training.networks.mobile_face_net import MobileFaceNetwork
from training.networks.published_weights import load_published


def test_the_network_says_of_rgb_what_the_published_one_says_of_bgr(tmp_path: Path) -> None:
    tensors = random_tensors(pool=7)
    network = MobileFaceNetwork().eval()
    load_published(network, write_published(tmp_path / "published.pt", tensors))
    pictures = torch.rand(2, 3, 112, 112) * 255
    with torch.inference_mode():
        expected = run_published(tensors, pictures)
        assert expected.abs().max() > 0.1
        assert torch.allclose(network(pictures.flip(1)), expected, rtol=1e-3, atol=1e-4)
        scripted = torch.jit.freeze(torch.jit.script(network))
        assert torch.allclose(scripted(pictures.flip(1)), expected, rtol=1e-3, atol=1e-4)


def test_training_mode_computes_the_same(tmp_path: Path) -> None:
    network = MobileFaceNetwork()
    load_published(network, write_published(tmp_path / "p.pt", random_tensors(pool=7)))
    pictures = torch.rand(2, 3, 112, 112) * 255
    trained = network.train()(pictures)
    trained.sum().backward()
    assert torch.allclose(network.eval()(pictures), trained, rtol=1e-4, atol=1e-5)
    missing = [name for name, weight in network.named_parameters() if weight.grad is None]
    assert not missing


def test_a_pooling_of_more_positions_keeps_the_sum_of_its_weights(tmp_path: Path) -> None:
    tensors = random_tensors(pool=8)
    tensors[206] = torch.linspace(-1, 1, 512).view(512, 1, 1, 1).expand(512, 1, 8, 8).clone()
    network = MobileFaceNetwork()
    load_published(network, write_published(tmp_path / "p.pt", tensors))
    assert network.pool.weight.shape == (512, 1, 7, 7)
    sums = network.pool.weight.sum(dim=(1, 2, 3))
    assert torch.allclose(sums, 64 * torch.linspace(-1, 1, 512), rtol=1e-4, atol=1e-3)


def test_other_weights_are_refused(tmp_path: Path) -> None:
    network = MobileFaceNetwork()
    with pytest.raises(CheckpointError, match="do not exist"):
        load_published(network, tmp_path / "none.pt")
    few = write_published(tmp_path / "few.pt", random_tensors(7)[:-1])
    with pytest.raises(CheckpointError, match="208 tensors, not 209"):
        load_published(network, few)
    tensors = random_tensors(pool=7)
    tensors[2] = torch.zeros(32, 3, 3, 3)
    with pytest.raises(CheckpointError, match="another network"):
        load_published(network, write_published(tmp_path / "other.pt", tensors))
