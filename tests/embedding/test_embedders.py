"""Every runtime keeps the same promises, and gives the same answers."""

from __future__ import annotations

import hashlib
import importlib
import json
import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor, nn

from app.domain.errors import ModelArtifactError, UnsupportedRuntimeError
from app.domain.runtime import Runtime
from app.embedding.load import choose_runtime, load_embedder
from app.embedding.openvino import BFLOAT16, cpu_capabilities, require_bfloat16
from app.settings import Settings
from tests.embedding.made_models import DIM, Change, TinyEmbedder, write_model
from tests.training.export.tiny_onnx import write_tiny

WORKERS = 2
#: Largest difference of a coordinate from the answer of TorchScript, and the lowest cosine with it.
TOLERANCES = {
    Runtime.TORCHSCRIPT: (0.0, 0.9999999),
    Runtime.OPENVINO: (1e-5, 0.9999999),
    Runtime.OPENVINO_BF16: (2e-2, 0.999),
    Runtime.AUTO: (2e-2, 0.999),
}


@pytest.fixture(params=list(Runtime))
def runtime(request: pytest.FixtureRequest) -> Runtime:
    chosen = Runtime(request.param)
    if chosen is Runtime.OPENVINO_BF16 and BFLOAT16 not in cpu_capabilities():
        pytest.skip("this CPU has no bfloat16")
    return chosen


def made_crops(count: int) -> npt.NDArray[np.uint8]:
    """Smooth crops, each with a light from another side, for noise is the same everywhere."""
    generator = np.random.default_rng(1)
    coarse = generator.integers(0, 256, (count, 3, 7, 7), dtype=np.uint8)
    return coarse.repeat(16, axis=2).repeat(16, axis=3)


def test_a_sound_model_embeds(tmp_path: Path, runtime: Runtime) -> None:
    embedder = load_embedder(write_model(tmp_path / "m"), runtime, WORKERS)
    crops = made_crops(5)
    embedded = embedder.embed(crops)
    assert len(embedded) == 5
    assert all(abs(float(np.linalg.norm(e)) - 1) < 1e-5 for e in embedded)
    np.testing.assert_allclose(embedder.embed(crops[2:3])[0], embedded[2], atol=1e-5)
    turned = crops[:, :, :, ::-1][:, :, :, ::-1]  # the same crops, not contiguous
    np.testing.assert_allclose(embedder.embed(turned), embedded, atol=1e-6)
    assert embedder.embed(crops[:0]) == []


@pytest.mark.parametrize("workers", [1, 2, 64])
def test_calls_side_by_side_do_not_mix(tmp_path: Path, runtime: Runtime, workers: int) -> None:
    """More callers than workers, with batches of several lengths: each gets its own answer."""
    embedder = load_embedder(write_model(tmp_path / "m"), runtime, workers)
    crops = made_crops(8)
    alone = embedder.embed(crops)
    with ThreadPoolExecutor(8) as pool:
        spans = [(start, start + 1 + start % 3) for start in range(6)] * 20
        answers = pool.map(lambda span: embedder.embed(crops[slice(*span)]), spans)
        for (start, end), rows in zip(spans, answers, strict=True):
            np.testing.assert_allclose(rows, alone[start:end], atol=1e-5)


@pytest.mark.parametrize("folder", ["made", "shipped"])
def test_runtimes_agree(tmp_path: Path, runtime: Runtime, folder: str) -> None:
    model = write_model(tmp_path / "m") if folder == "made" else Settings().model_dir
    crops = made_crops(6)
    expected = np.stack(load_embedder(model, Runtime.TORCHSCRIPT, WORKERS).embed(crops))
    given = np.stack(load_embedder(model, runtime, WORKERS).embed(crops))
    difference, cosine = TOLERANCES[runtime]
    np.testing.assert_allclose(given, expected, rtol=0, atol=difference)
    assert (given * expected).sum(axis=1).min() >= cosine


@pytest.mark.parametrize(
    "crops",
    [
        np.zeros((1, 3, 112, 112), np.float32),
        np.zeros((3, 112, 112), np.uint8),
        np.zeros((1, 112, 112, 3), np.uint8),
        np.zeros((1, 3, 96, 96), np.uint8),
    ],
)
def test_what_is_no_crop_is_refused(
    tmp_path: Path, runtime: Runtime, crops: npt.NDArray[np.uint8]
) -> None:
    with pytest.raises(ValueError, match="crops must be"):
        load_embedder(write_model(tmp_path / "m"), runtime, WORKERS).embed(crops)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(embedding_dim=7), "instead of|another size"),
        (lambda d: d["golden"].update(embedding=[1.0] + [0.0] * DIM), "another size"),
        (lambda d: d["golden"].update(embedding=[1.0, 0, 0, 0, 0, 0]), "golden"),
        (lambda d: d.update(format="pickle"), "neither"),
    ],
)
def test_a_network_that_is_not_its_manifest_is_refused(
    tmp_path: Path, runtime: Runtime, change: Change, message: str
) -> None:
    with pytest.raises(ModelArtifactError, match=message):
        load_embedder(write_model(tmp_path / "m", change), runtime, WORKERS)


@pytest.mark.parametrize("length", [2.0, float("nan")])
def test_output_that_is_no_embedding_is_refused(
    tmp_path: Path, runtime: Runtime, length: float
) -> None:
    folder = write_model(tmp_path / "m", module=TinyEmbedder(length))
    with pytest.raises(ModelArtifactError, match="no embedding"):
        load_embedder(folder, runtime, WORKERS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(sha256="0" * 64), "SHA-256"),
        (lambda d: d.update(schema=2), "schema"),
        (lambda d: d.update(alignment="other-112"), "other-112"),
        (lambda d: d.update(input={"size": 96}), "96 px"),
        (lambda d: d.update(file="missing.pt"), "cannot be read"),
        (lambda d: d.pop("thresholds"), "thresholds"),
        (lambda d: d.update(calibration=[]), "calibration"),
    ],
)
def test_a_folder_that_is_not_its_manifest_is_refused(
    tmp_path: Path, change: Change, message: str
) -> None:
    with pytest.raises(ModelArtifactError, match=message):
        load_embedder(write_model(tmp_path / "m", change), Runtime.TORCHSCRIPT, WORKERS)


def test_broken_files_are_refused(tmp_path: Path) -> None:
    def load(folder: Path) -> None:
        load_embedder(folder, Runtime.TORCHSCRIPT, WORKERS)

    with pytest.raises(ModelArtifactError, match="no readable manifest"):
        load(tmp_path)
    folder = write_model(tmp_path / "m")
    (folder / "embedder.pt").write_bytes(b"not a model")
    document = json.loads((folder / "manifest.json").read_text())
    document["sha256"] = hashlib.sha256(b"not a model").hexdigest()
    document["calibration_evidence"]["sha256"] = document["sha256"]
    (folder / "manifest.json").write_text(json.dumps(document))
    with pytest.raises(ModelArtifactError, match="does not load"):
        load(folder)
    (folder / "manifest.json").write_text("[]")
    with pytest.raises(ModelArtifactError, match="not a JSON object"):
        load(folder)


def test_the_shipped_model_is_what_its_manifest_says(runtime: Runtime) -> None:
    manifest = load_embedder(Settings().model_dir, runtime, WORKERS).manifest
    assert manifest.embedding_dim == 256
    assert manifest.identify.similarity > manifest.verify.similarity
    assert manifest.identify.false_match_rate == 1e-4
    for tail in manifest.tails:
        assert tail.threshold_at(1e-6) > tail.threshold_at(1e-4) > tail.threshold_at(1e-2)


class Spectrum(nn.Module):
    """An operation that OpenVINO does not know."""

    def forward(self, crops: Tensor) -> Tensor:
        spectrum: Tensor = torch.linalg.eigvals(crops.float().mean(1)).real
        return spectrum


def test_a_model_that_openvino_cannot_run_is_refused(tmp_path: Path) -> None:
    """OpenVINO's converter turns the root logger's level up and, when it fails, leaves it so."""
    folder = write_model(tmp_path / "m", module=Spectrum())
    level = logging.getLogger().level
    with pytest.raises(ModelArtifactError, match="OpenVINO cannot run"):
        load_embedder(folder, Runtime.OPENVINO, WORKERS)
    assert logging.getLogger().level == level


def test_bfloat16_is_refused_where_the_cpu_has_none(tmp_path: Path) -> None:
    require_bfloat16(["FP32", "BF16", "INT8"])
    with pytest.raises(UnsupportedRuntimeError, match=r"bfloat16.*'openvino' or 'torchscript'"):
        require_bfloat16(["FP32", "WINOGRAD", "INT8"])
    if BFLOAT16 not in cpu_capabilities():
        with pytest.raises(UnsupportedRuntimeError):
            load_embedder(write_model(tmp_path / "m"), Runtime.OPENVINO_BF16, WORKERS)


@pytest.mark.parametrize(
    ("wanted", "capabilities", "chosen"),
    [
        (Runtime.AUTO, ("FP32", "BF16", "INT8"), Runtime.OPENVINO_BF16),
        (Runtime.AUTO, ("FP32", "WINOGRAD", "INT8"), Runtime.OPENVINO),
        (Runtime.OPENVINO, ("FP32", "BF16"), Runtime.OPENVINO),
        (Runtime.TORCHSCRIPT, ("FP32", "BF16"), Runtime.TORCHSCRIPT),
    ],
)
def test_auto_takes_bfloat16_where_the_cpu_has_it(
    wanted: Runtime, capabilities: tuple[str, ...], chosen: Runtime
) -> None:
    assert choose_runtime(wanted, lambda: capabilities) is chosen


def test_the_embedder_tells_what_runs_it(tmp_path: Path) -> None:
    model = write_model(tmp_path / "m")
    expected = choose_runtime(Runtime.AUTO, cpu_capabilities)
    assert load_embedder(model, Runtime.AUTO, WORKERS).runtime is expected
    assert load_embedder(model, Runtime.TORCHSCRIPT, WORKERS).runtime is Runtime.TORCHSCRIPT


def ask_for_more_than_bfloat16(document: dict[str, object]) -> None:
    golden = document["golden"]
    assert isinstance(golden, dict)
    golden["min_similarity"] = 0.999999


def test_a_model_that_bfloat16_would_change_runs_in_fp32(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model = write_model(tmp_path / "m", ask_for_more_than_bfloat16)
    if BFLOAT16 not in cpu_capabilities():
        pytest.skip("this CPU has no bfloat16")
    embedder = load_embedder(model, Runtime.AUTO, WORKERS)
    assert embedder.runtime is Runtime.OPENVINO
    assert "fp32 instead of bfloat16" in caplog.text
    with pytest.raises(ModelArtifactError, match="golden"):
        load_embedder(model, Runtime.OPENVINO_BF16, WORKERS)


def test_openvino_runs_without_its_telemetry(tmp_path: Path) -> None:
    """Its Python package reports imports and conversions as soon as it can import this one."""
    load_embedder(write_model(tmp_path / "m"), Runtime.OPENVINO, WORKERS)
    with pytest.raises(ImportError):
        importlib.import_module("openvino_telemetry")


@pytest.mark.parametrize("what", ["not a network", "pixels as numbers"])
def test_an_onnx_file_of_another_contract_is_refused(tmp_path: Path, what: str) -> None:
    """Whoever lays a network into the folder by hand is told, and nothing is served."""
    folder = write_model(tmp_path / "m")
    file = folder / "embedder.onnx"
    if what == "pixels as numbers":
        write_tiny(file)
    else:
        file.write_bytes(what.encode())
    document = json.loads((folder / "manifest.json").read_text())
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    document.update(format="onnx", file=file.name, sha256=digest)
    document["calibration_evidence"]["sha256"] = digest
    (folder / "manifest.json").write_text(json.dumps(document))
    with pytest.raises(ModelArtifactError, match=r"OpenVINO cannot run|does not take uint8 inputs"):
        load_embedder(folder, Runtime.OPENVINO, WORKERS)
