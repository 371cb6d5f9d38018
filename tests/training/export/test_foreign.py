"""An ONNX network of others becomes a model folder, run by OpenVINO without torch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto
from typer.testing import CliRunner

from app.domain.errors import UnsupportedRuntimeError
from app.domain.runtime import Runtime
from app.embedding.load import load_embedder
from tests.training.export.own_faces import write_population
from tests.training.export.tiny_onnx import DIM, expected, write_tiny
from training.cli.app import app
from training.evaluation.embedders import ExportedEmbedder
from training.export.parity import made_patterns
from training.foundation.errors import ForeignNetworkError
from training.networks.published.onnx_embedder import Preprocess, read_foreign, write_contract
from training.networks.served import OnnxModule

CROPS = made_patterns()[:4]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("imported")
    people, strangers = write_population(root)
    network = write_tiny(root / "Tiny Arc.onnx")
    words = [
        *("import-onnx", str(network), "--preprocess", "minus-one-to-one", "--bgr"),
        *("--people", str(people), "--strangers", str(strangers), "--out", str(root / "models")),
        *("--licence", "made for a test"),
    ]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert "24 strangers, 276 pairs" in done.output
    assert "that they are others is your word" in done.output
    return root / "models" / "tiny-arc-1"


def test_the_service_runs_it_and_numpy_agrees(folder: Path) -> None:
    embedder = load_embedder(folder, Runtime.OPENVINO, workers=1)
    given = np.stack(embedder.embed(CROPS))
    np.testing.assert_allclose(given, expected(CROPS, 127.5, 127.5, bgr=True), atol=1e-5)
    assert embedder.manifest.format == "onnx"
    assert embedder.manifest.support is not None
    assert embedder.manifest.support.strangers == 24
    with pytest.raises(UnsupportedRuntimeError, match="which OpenVINO runs"):
        load_embedder(folder, Runtime.TORCHSCRIPT, workers=1)


def test_training_evaluates_it_like_any_other(folder: Path) -> None:
    given = ExportedEmbedder(folder, torch.device("cpu")).embed_faces(CROPS)
    np.testing.assert_allclose(given, expected(CROPS, 127.5, 127.5, bgr=True), atol=1e-5)


def test_it_needs_no_torch(folder: Path) -> None:
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from app.domain.runtime import Runtime\n"
        "from app.embedding.load import load_embedder\n"
        f"load_embedder(Path({str(folder)!r}), Runtime.AUTO, 1, torch_threads=1)\n"
        "sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_card_states_the_licence_and_what_is_not_known(folder: Path) -> None:
    card = (folder / "README.md").read_text()
    assert "made for a test" in card
    assert "Whether the network learned from any of them is not known" in card
    assert "ONNX, run by OpenVINO" in card
    assert "24 strangers support no more" in card
    document = json.loads((folder / "manifest.json").read_text())
    assert document["parity"]["eager_difference"] < 1e-5
    assert {file["path"] for file in document["data"]} == {"people", "strangers"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"shape": ("N", 3, 160, 160)}, "160 x 160 pictures; the service shows"),
        ({"shape": ("N", 3, "H", "W")}, "only the number of pictures may be open"),
        ({"shape": ("N", 112, 112, 3)}, "channels last"),
        ({"shape": ("N", 1, 112, 112)}, "not N x 3 x 112 x 112"),
        ({"shape": (3, 112, 112)}, "not N x 3 x 112 x 112"),
        ({"kind": TensorProto.UINT8}, "takes UINT8, not float32"),
        ({"outputs": 2}, r"2 outputs \(embedding, also_1\); --output names"),
        ({"opset": 6}, "operator set 6"),
        ({"dim": 8}, "gives 8 numbers"),
    ],
)
def test_what_is_no_face_network_is_told_why(
    tmp_path: Path, changes: dict[str, object], said: str
) -> None:
    network = write_tiny(tmp_path / "network.onnx", **changes)
    with pytest.raises(ForeignNetworkError, match=said):
        read_foreign(network, Preprocess.ARCFACE, bgr=False)


def test_a_file_that_is_none_is_told_in_one_line(tmp_path: Path) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"not a network")
    with pytest.raises(ForeignNetworkError, match="not a sound ONNX model"):
        read_foreign(broken, Preprocess.BYTES, bgr=False)
    with pytest.raises(ForeignNetworkError, match="has no output 'norm'"):
        read_foreign(write_tiny(tmp_path / "n.onnx"), Preprocess.BYTES, bgr=False, output="norm")


def test_one_of_several_outputs_may_be_named(tmp_path: Path) -> None:
    network = write_tiny(tmp_path / "n.onnx", outputs=2)
    foreign = read_foreign(network, Preprocess.BYTES, bgr=False, output="also_1")
    write_contract(foreign, tmp_path / "written.onnx")
    given = OnnxModule(tmp_path / "written.onnx")(torch.from_numpy(CROPS)).numpy()
    np.testing.assert_allclose(given, expected(CROPS, 0, 1, bgr=False), atol=1e-5)


@pytest.mark.parametrize(
    ("preprocess", "own", "minus", "by"),
    [
        (Preprocess.ARCFACE, True, 127.5, 127.5),
        (Preprocess.ARCFACE, False, 127.5, 127.5),
        (Preprocess.MINUS_ONE_TO_ONE_128, False, 127.5, 128),
        (Preprocess.ZERO_TO_ONE, False, 0, 255),
        (Preprocess.BYTES, False, 0, 1),
    ],
)
def test_pixels_come_in_the_range_that_was_named(
    tmp_path: Path, preprocess: Preprocess, own: bool, minus: float, by: float
) -> None:
    """With "arcface" a network that scales for itself is left to it: shown bytes, not twice."""
    network = write_tiny(tmp_path / "n.onnx", scales_itself=own, shape=(1, 3, 112, 112))
    foreign = read_foreign(network, preprocess, bgr=False)
    write_contract(foreign, tmp_path / "written.onnx")
    given = OnnxModule(tmp_path / "written.onnx")(torch.from_numpy(CROPS)).numpy()
    assert given.shape == (4, DIM)
    np.testing.assert_allclose(given, expected(CROPS, minus, by, bgr=False), atol=1e-5)


@pytest.mark.parametrize("batch", [1, 2])
def test_a_network_of_so_many_pictures_at_once_is_opened_for_any(
    tmp_path: Path, batch: int
) -> None:
    network = write_tiny(tmp_path / "n.onnx", shape=(batch, 3, 112, 112), batch=batch)
    write_contract(read_foreign(network, Preprocess.BYTES, bgr=False), tmp_path / "written.onnx")
    given = OnnxModule(tmp_path / "written.onnx")(torch.from_numpy(CROPS)).numpy()
    np.testing.assert_allclose(given, expected(CROPS, 0, 1, bgr=False), atol=1e-5)


def test_a_network_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    network = write_tiny(tmp_path / "n.onnx", shape=(2, 3, 112, 112), added=2)
    people, strangers = write_population(tmp_path)
    words = ["import-onnx", str(network), "--preprocess", "arcface", "--out", str(tmp_path / "m")]
    done = CliRunner().invoke(app, [*words, "--people", str(people), "--strangers", str(strangers)])
    assert isinstance(done.exception, ForeignNetworkError)
    assert "several 112 px pictures at once" in str(done.exception)
    assert not list((tmp_path / "m").iterdir())


def test_what_went_through_once_is_not_taken_again(tmp_path: Path) -> None:
    foreign = read_foreign(write_tiny(tmp_path / "n.onnx"), Preprocess.BYTES, bgr=False)
    write_contract(foreign, tmp_path / "written.onnx")
    with pytest.raises(ForeignNetworkError, match="UINT8"):
        read_foreign(tmp_path / "written.onnx", Preprocess.BYTES, bgr=False)
    assert [one.name for one in onnx.load(tmp_path / "written.onnx").graph.input] == [
        "facegate_crops"
    ]
