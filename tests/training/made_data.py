"""Small pictures and recipes that the tests make themselves."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from training.data.crops import CropSet
from training.recipes.recipe import Recipe


def picture(seed: int, suffix: str = ".png") -> bytes:
    """Return an encoded smooth colour picture of 128 px."""
    noise = np.random.default_rng(seed).integers(20, 235, (8, 8, 3), dtype=np.uint8)
    large = cv2.resize(noise, (128, 128), interpolation=cv2.INTER_CUBIC)
    done, encoded = cv2.imencode(suffix, large)
    assert done
    return encoded.tobytes()


def write_folder(root: Path, people: int, each: int) -> Path:
    """Write ``<identity>/<n>.png`` below ``root``."""
    for person in range(people):
        folder = root / f"person-{person}"
        folder.mkdir(parents=True)
        for shot in range(each):
            (folder / f"{shot}.png").write_bytes(picture(person * 100 + shot))
    return root


def write_tar(path: Path, members: dict[str, bytes]) -> Path:
    """Write a tar file with these members."""
    with tarfile.open(path, "w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


class TinyTeacher(nn.Module):
    """A frozen network of a few weights: mean colours of a grid, then a fixed mixture."""

    def __init__(self, seed: int, dim: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.register_buffer("mixture", torch.randn(48, dim, generator=generator))

    def forward(self, pictures: Tensor) -> Tensor:
        cells = torch.nn.functional.adaptive_avg_pool2d(pictures, (4, 4)).flatten(1)
        return (cells / 127.5 - 1) @ self.mixture  # type: ignore[operator]


def write_teacher(path: Path, seed: int, dim: int) -> Path:
    """Save a tiny teacher as TorchScript."""
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.jit.script(TinyTeacher(seed, dim)).save(str(path))
    return path


def tiny_recipe(**changes: object) -> Recipe:
    """Return a recipe that trains in seconds on made data."""
    document: dict[str, object] = {
        "name": "tiny",
        "batch_size": 16,
        "steps": 6,
        "student": {"widths": [8, 8, 8, 8], "blocks": [1, 1, 1, 1], "embedding_dim": 12},
        "sources": [
            {"name": "people", "paths": ["people"], "labelled": True, "share": 0.5},
            {
                "name": "pool",
                "paths": ["pool.tar"],
                "attributes": "pool.csv",
                "mark_black": True,
                "share": 0.5,
            },
        ],
        "teachers": [
            {"name": "one", "path": "one.pt", "input_size": 64, "channels": "bgr"},
            {"name": "two", "path": "two.pt", "input_size": 112, "channels": "rgb"},
        ],
        "resolution": [{"until": 0.5, "pixels": 80}, {"until": 1.0, "pixels": 112}],
    }
    return Recipe.model_validate(document | changes)


def write_tiny_data(root: Path, pool: int = 12) -> Path:
    """Write everything that ``tiny_recipe`` names, with ``pool`` people who are all different."""
    write_folder(root / "people", 6, 3)
    write_tar(root / "pool.tar", {f"pool/{n}.png": picture(900 + n) for n in range(pool)})
    rows = [f"pool/{n}.png,{'female' if n % 2 else 'male'},north,20-29" for n in range(pool)]
    (root / "pool.csv").write_text("file,gender,group,age\n" + "\n".join(rows) + "\n")
    write_teacher(root / "one.pt", 1, 10)
    write_teacher(root / "two.pt", 2, 7)
    return root


def crop_set(identities: list[int], groups: list[int], sources: list[int]) -> CropSet:
    """Return crops with these labels and grey pictures."""
    count = len(identities)
    return CropSet(
        images=torch.full((count, 3, 128, 128), 100, dtype=torch.uint8),
        identities=torch.tensor(identities),
        groups=torch.tensor(groups),
        sources=torch.tensor(sources),
        source_names=("a", "b"),
        files=tuple(str(n) for n in range(count)),
    )
