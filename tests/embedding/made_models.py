"""A model folder made for a test: a tiny network that is right unless asked otherwise."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from app.domain.golden import golden_input

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
    """Write a folder whose manifest fits ``TinyEmbedder``; ``change`` edits the manifest."""
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
    document["calibration_evidence"] = {"sha256": document["sha256"]}
    if change:
        change(document)
    (folder / "manifest.json").write_text(json.dumps(document))
    return folder
