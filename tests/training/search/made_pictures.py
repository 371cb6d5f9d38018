"""Small pictures in folders, and an embedder that knows them by their colours."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from app.domain.faces import Picture
from training.foundation.arrays import Matrix
from training.search.embedder import UnusablePictureError


def write_picture(path: Path, seed: int) -> Path:
    """Write a PNG of a few coloured fields; the same seed gives the same picture."""
    fields = np.random.default_rng(seed).integers(1, 255, (4, 4, 3), dtype=np.uint8)
    return write_pixels(path, cv2.resize(fields, (16, 16), interpolation=cv2.INTER_NEAREST))


def write_black(path: Path) -> Path:
    """Write a picture in which the embedder finds nothing."""
    return write_pixels(path, np.zeros((16, 16, 3), np.uint8))


def write_pixels(path: Path, pixels: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels)
    return path


class ColourEmbedder:
    """Embeds a picture by the colours of its 4 x 4 fields; a black one has none."""

    def __init__(self, name: str = "colours", sha256: str | None = "0" * 64) -> None:
        self.name = name
        self.sha256 = sha256
        self.embedded = 0

    def embed_pictures(self, pictures: Sequence[Picture]) -> Matrix:
        if any(not picture.any() for picture in pictures):
            raise UnusablePictureError("all is black")
        self.embedded += len(pictures)
        small = [cv2.resize(p, (4, 4), interpolation=cv2.INTER_AREA).ravel() for p in pictures]
        rows = np.stack(small).astype(np.float32) - 128
        unit: Matrix = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return unit
