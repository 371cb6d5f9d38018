from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor, nn

from app.domain.errors import ModelArtifactError
from app.domain.golden import golden_input
from app.embedding.torchscript import load_embedder
from app.settings import Settings

DIM = 6
Change = Callable[[dict[str, object]], None]


class TinyEmbedder(nn.Module):
    """Mean colours of a grid, then a fixed mixture, of unit length unless asked otherwise."""

    def __init__(self, length: float = 1.0, dim: int = DIM) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(3)
        self.register_buffer("mixture", torch.randn(48, dim, generator=generator))
        self.length = length

    def forward(self, crops: Tensor) -> Tensor:
        cells = torch.nn.functional.adaptive_avg_pool2d(crops.float(), (4, 4)).flatten(1)
        mixed = (cells / 127.5 - 1) @ self.mixture  # type: ignore[operator]
        return torch.nn.functional.normalize(mixed, dim=1) * self.length


def write_model(
    folder: Path, change: Change | None = None, module: nn.Module | None = None
) -> Path:
    folder.mkdir()
    torch.jit.script(module or TinyEmbedder()).save(str(folder / "embedder.pt"))
    golden = TinyEmbedder()(torch.from_numpy(golden_input(112)))[0].tolist()
    threshold = {"similarity": 0.5, "false_match_rate": 1e-4, "population": "made"}
    document: dict[str, object] = {
        "schema": 1,
        "name": "tiny",
        "version": "1",
        "format": "torchscript",
        "file": "embedder.pt",
        "sha256": hashlib.sha256((folder / "embedder.pt").read_bytes()).hexdigest(),
        "input": {"size": 112},
        "embedding_dim": DIM,
        "alignment": "arcface-112",
        "calibration": [{"photos": 1, "slope": 20.0, "intercept": -8.0}],
        "impostor_tails": [
            {"population": "made", "points": [[0.1, 0.2], [1e-6, 0.9]], "extrapolated_below": 1e-5}
        ],
        "thresholds": {"identify": threshold, "verify": threshold},
        "golden": {"embedding": golden, "min_similarity": 0.999},
    }
    if change:
        change(document)
    (folder / "manifest.json").write_text(json.dumps(document))
    return folder


def test_a_sound_model_embeds(tmp_path: Path) -> None:
    embedder = load_embedder(write_model(tmp_path / "m"))
    crops = np.random.default_rng(1).integers(0, 256, (5, 3, 112, 112), dtype=np.uint8)
    embedded = embedder.embed(crops)
    assert len(embedded) == 5
    assert all(abs(float(np.linalg.norm(e)) - 1) < 1e-5 for e in embedded)
    np.testing.assert_allclose(embedder.embed(crops[2:3])[0], embedded[2], atol=1e-5)
    assert embedder.embed(crops[:0]) == []
    with ThreadPoolExecutor(4) as pool:
        for row in pool.map(lambda _: embedder.embed(crops)[3], range(16)):
            np.testing.assert_allclose(row, embedded[3], atol=1e-6)


@pytest.mark.parametrize(
    "crops",
    [
        np.zeros((1, 3, 112, 112), np.float32),
        np.zeros((3, 112, 112), np.uint8),
        np.zeros((1, 112, 112, 3), np.uint8),
        np.zeros((1, 3, 96, 96), np.uint8),
    ],
)
def test_what_is_no_crop_is_refused(tmp_path: Path, crops: npt.NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match="crops must be"):
        load_embedder(write_model(tmp_path / "m")).embed(crops)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(sha256="0" * 64), "SHA-256"),
        (lambda d: d.update(schema=2), "schema"),
        (lambda d: d.update(alignment="other-112"), "other-112"),
        (lambda d: d.update(input={"size": 96}), "96 px"),
        (lambda d: d.update(embedding_dim=7), "instead of|another size"),
        (lambda d: d.update(format="onnx"), "onnx"),
        (lambda d: d.update(file="missing.pt"), "cannot be read"),
        (lambda d: d.pop("thresholds"), "thresholds"),
        (lambda d: d.update(calibration=[]), "calibration"),
        (lambda d: d["golden"].update(embedding=[1.0, 0, 0, 0, 0, 0]), "golden"),
    ],
)
def test_a_model_that_is_not_its_manifest_is_refused(
    tmp_path: Path, change: Change, message: str
) -> None:
    with pytest.raises(ModelArtifactError, match=message):
        load_embedder(write_model(tmp_path / "m", change))


@pytest.mark.parametrize("length", [2.0, float("nan")])
def test_output_that_is_no_embedding_is_refused(tmp_path: Path, length: float) -> None:
    with pytest.raises(ModelArtifactError, match="no embedding"):
        load_embedder(write_model(tmp_path / "m", module=TinyEmbedder(length)))


def test_broken_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelArtifactError, match="no readable manifest"):
        load_embedder(tmp_path)
    folder = write_model(tmp_path / "m")
    (folder / "embedder.pt").write_bytes(b"not a model")
    document = json.loads((folder / "manifest.json").read_text())
    document["sha256"] = hashlib.sha256(b"not a model").hexdigest()
    (folder / "manifest.json").write_text(json.dumps(document))
    with pytest.raises(ModelArtifactError, match="does not load"):
        load_embedder(folder)
    (folder / "manifest.json").write_text("[]")
    with pytest.raises(ModelArtifactError, match="not a JSON object"):
        load_embedder(folder)


def test_the_shipped_model_is_what_its_manifest_says() -> None:
    manifest = load_embedder(Settings().model_dir).manifest
    assert manifest.embedding_dim == 256
    assert manifest.identify.similarity > manifest.verify.similarity
    assert manifest.identify.false_match_rate == 1e-4
    for tail in manifest.tails:
        assert tail.threshold_at(1e-6) > tail.threshold_at(1e-4) > tail.threshold_at(1e-2)
