"""The network of plainness as it serves: what it is given, and what is refused at loading."""

from __future__ import annotations

import dataclasses
import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import torch

from app.domain.errors import ModelArtifactError
from app.domain.golden import golden_input
from app.domain.plainness import Plainness
from app.vision.plainness import PlainnessNetwork, network_input, read_plainness
from training.calibration.plainness.network import PlainFaceNetwork, as_onnx, log_odds


def made_network() -> PlainFaceNetwork:
    torch.manual_seed(3)
    network = PlainFaceNetwork().eval()
    state = network.state_dict()
    for name, value in state.items():
        if name.endswith(("running_mean", "running_var")):
            torch.nn.init.uniform_(value, 0.5, 1.5)
    return network


def entry_of(content: bytes, network: PlainFaceNetwork) -> Plainness:
    (golden,) = log_odds(network, golden_input(112)).tolist()
    return Plainness("made.onnx", hashlib.sha256(content).hexdigest(), golden, 0.01, 0.3)


def random_crop(seed: int) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (3, 112, 112), np.uint8)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Plainness, PlainFaceNetwork]:
    network, folder = made_network(), tmp_path_factory.mktemp("model")
    content = as_onnx(network)
    (folder / "made.onnx").write_bytes(content)
    return folder, entry_of(content, network), network


def test_what_serves_answers_as_what_was_trained_from_any_thread(
    made: tuple[Path, Plainness, PlainFaceNetwork],
) -> None:
    folder, entry, network = made
    served = read_plainness(folder, entry)
    assert served is not None
    crops = np.stack([random_crop(seed) for seed in range(24)])
    expected = 1 / (1 + np.exp(-log_odds(network, crops).astype(float)))
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(served.measure, crops)) == pytest.approx(expected, abs=1e-4)


def test_no_network_is_read_where_the_manifest_names_none(tmp_path: Path) -> None:
    assert read_plainness(tmp_path, None) is None


def test_a_file_that_is_missing_or_another_is_refused(
    made: tuple[Path, Plainness, PlainFaceNetwork], tmp_path: Path
) -> None:
    folder, entry, _ = made
    with pytest.raises(ModelArtifactError, match="cannot be read"):
        read_plainness(tmp_path, entry)
    changed = bytearray((folder / "made.onnx").read_bytes())
    changed[-40] ^= 1
    (tmp_path / "made.onnx").write_bytes(changed)
    with pytest.raises(ModelArtifactError, match="SHA-256 differs"):
        read_plainness(tmp_path, entry)


def test_a_network_that_answers_otherwise_or_not_at_all_is_refused(
    made: tuple[Path, Plainness, PlainFaceNetwork],
) -> None:
    folder, entry, _ = made
    content = (folder / "made.onnx").read_bytes()
    other = dataclasses.replace(entry, golden=entry.golden + 0.05)
    with pytest.raises(ModelArtifactError, match="golden input"):
        PlainnessNetwork(content, other)
    for broken in (b"no onnx", content[: len(content) // 2]):
        with pytest.raises(ModelArtifactError):
            PlainnessNetwork(broken, entry)
    network = made_network()
    network.answer.bias.data.fill_(float("nan"))
    with pytest.raises(ModelArtifactError, match="no number"):
        PlainnessNetwork(as_onnx(network), entry)


def test_the_fourth_plane_is_zero_for_a_picture_that_is_its_own_mirror_image() -> None:
    crop = random_crop(5)
    assert network_input(crop)[3].mean() > 0.1
    half = crop[:, :, :56]
    mirrored = np.concatenate([half, half[:, :, ::-1]], axis=2)
    assert network_input(mirrored)[3].max() < 1e-5
    moved = np.roll(mirrored, 3, axis=2)  # the sides are four pixels of the planes apart
    smooth = [np.stack([cv2.blur(plane, (9, 9)) for plane in one]) for one in (moved, crop)]
    near, far = (network_input(one)[3][:, 4:-4].mean() for one in smooth)
    assert near < far / 2


def test_a_mirrored_crop_gives_mirrored_planes() -> None:
    crop = random_crop(6)
    planes, mirrored = network_input(crop), network_input(crop[:, :, ::-1])
    assert mirrored == pytest.approx(planes[:, :, ::-1], abs=1e-5)
