from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from app.domain.alignment import ARCFACE_TEMPLATE, similarity_transform
from tests.training.networks.published.published_file import (
    random_tensors,
    run_published,
    write_published,
)
from training.foundation.errors import CheckpointError
from training.networks.mobile_face_net import (
    PUBLISHED_SIZE,
    PUBLISHED_TEMPLATE,
    MobileFaceNetwork,
)
from training.networks.published.mobile_face_net import load_published
from training.recipes.recipe import load_recipe


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


def test_the_published_crop_is_the_one_that_opencv_cuts(tmp_path: Path) -> None:
    tensors = random_tensors(pool=8)
    network = MobileFaceNetwork(published_crop=True).eval()
    load_published(network, write_published(tmp_path / "published.pt", tensors))
    assert torch.equal(network.pool.weight, tensors[206])
    picture = F.interpolate(torch.rand(1, 3, 5, 5), 112, mode="bicubic").clamp(0, 1) * 255
    back = similarity_transform(np.array(PUBLISHED_TEMPLATE) * 128, ARCFACE_TEMPLATE)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    cut = cv2.warpAffine(picture[0].permute(1, 2, 0).numpy(), back, (128, 128), flags=flags)
    rgb = torch.from_numpy(cut).permute(2, 0, 1)[None]
    with torch.inference_mode():
        # OpenCV turns by 0.1 degrees too; half a pixel would make five grey levels and more.
        assert (network.crop(picture) - rgb).abs().max() < 1.5
        with torch.autocast("cpu", torch.bfloat16):
            assert torch.equal(network.crop(picture), network.crop(picture.float()))
            assert network.crop(picture).dtype == torch.float32
        expected = run_published(tensors, network.crop(picture).flip(1))
        assert torch.allclose(network(picture), expected, rtol=1e-3, atol=1e-4)
        scripted = torch.jit.freeze(torch.jit.script(network))
        assert torch.allclose(scripted(picture), expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("size", [96, 112])
def test_the_published_crop_trains_at_a_smaller_size(size: int) -> None:
    network = MobileFaceNetwork(published_crop=True).train()
    network(torch.rand(2, 3, size, size) * 255).sum().backward()
    missing = [name for name, weight in network.named_parameters() if weight.grad is None]
    assert not missing


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


def test_the_published_crop_is_the_one_that_its_teacher_is_shown() -> None:
    teacher = load_recipe("native-open").teachers[0]
    assert teacher.name == "face-reid-0095"
    assert (teacher.template, teacher.input_size) == (PUBLISHED_TEMPLATE, PUBLISHED_SIZE)
