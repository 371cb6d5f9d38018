"""Made people: unit vectors around a direction each, and data folders of tiny pictures."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn

from training.data.crops import CropSet
from training.foundation.arrays import IntArray, Matrix

DIM = 16


def unit(rows: np.ndarray) -> Matrix:
    """Return the rows at unit length, float32."""
    scaled: Matrix = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return scaled


def made_people(
    photos: list[int], noise: float = 0.6, seed: int = 0
) -> tuple[Matrix, IntArray, tuple[str, ...]]:
    """Return embeddings, identities and files of people with so many photos each."""
    random = np.random.default_rng(seed)
    identities = np.repeat(np.arange(len(photos)), photos).astype(np.int64)
    directions = random.normal(size=(len(photos), DIM))
    rows = directions[identities] + noise * random.normal(size=(len(identities), DIM))
    files = tuple(
        f"p{person:03d}/{shot:02d}.png"
        for person, count in enumerate(photos)
        for shot in range(count)
    )
    return unit(rows), identities, files


def strangers(count: int, seed: int = 1) -> Matrix:
    """Return unit vectors of nobody in particular."""
    return unit(np.random.default_rng(seed).normal(size=(count, DIM)))


def write_teacher(path: Path, seed: int, dim: int) -> Path:
    """Save a TorchScript network that mixes the mean colours of a grid."""
    torch.manual_seed(seed)
    layers = nn.Sequential(nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(48, dim, bias=False))
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.jit.script(layers).save(str(path))
    return path


class NameEmbedder:
    """Embeds a crop by its file's name: photos of one folder lie close together."""

    name = "by name"
    sha256: str | None = None

    def embed(self, crops: CropSet) -> Matrix:
        rows = []
        for file in crops.files:
            folder = file.rsplit("/", 1)[0]  # of a stranger: the file itself
            person = np.random.default_rng(_seed(folder))
            photo = np.random.default_rng(_seed(file))
            rows.append(person.normal(size=DIM) + 0.5 * photo.normal(size=DIM))
        return unit(np.stack(rows))


def _seed(text: str) -> list[int]:
    return list(text.encode())


def write_people(root: Path, names: dict[str, int]) -> None:
    """Write ``<name>/<name>_nnnn.png`` for so many photos each; every picture is 8 x 8."""
    for name, count in names.items():
        (root / name).mkdir(parents=True)
        for shot in range(1, count + 1):
            _write_picture(root / name / f"{name}_{shot:04d}.png", shot)


def write_evaluation_data(root: Path, pool: int = 410) -> Path:
    """Write the folders lfw, val and strangers, the pair list and the strangers' attributes."""
    names = {f"Person_{number}": 1 + number % 5 for number in range(40)}
    write_people(root / "lfw", names)
    several = [name for name, count in names.items() if count > 1]
    lines = ["10\t3"]
    for fold in range(10):
        lines += [f"{name}\t1\t2" for name in several[3 * fold : 3 * fold + 3]]
        lines += [f"Person_{fold + step}\t1\tPerson_{fold + step + 1}\t1" for step in range(3)]
    (root / "lfw-pairs.txt").write_text("\n".join(lines) + "\n")
    write_people(root / "val", {f"val-{number}": 1 + number % 7 for number in range(42)})
    folder = root / "strangers"
    folder.mkdir()
    rows = ["file,source,gender,group,age"]
    for number in range(pool + 90):
        _write_picture(folder / f"{number:05d}.png", number)
        group = "north,female" if number < pool else "south,male"
        gender, name = group.split(",")[::-1]
        rows.append(f"strangers/{number:05d}.png,web,{gender},{name},")
    (root / "strangers.csv").write_text("\n".join(rows) + "\n")
    return root


def _write_picture(path: Path, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 255, (8, 8, 3), dtype=np.uint8)
    assert cv2.imwrite(str(path), pixels)
