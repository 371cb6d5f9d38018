"""Proof that the exported file says what the trained network says, alone or in a row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from app.domain.golden import golden_input
from training.data.populations import read_people
from training.evaluation.embedders import centre_faces
from training.foundation.arrays import ByteImage
from training.foundation.records import Record
from training.networks.served import ServedEmbedder, load_module

FACE_SIZE = 112
ROW = 32
PATTERNS = 32
#: Of one coordinate of a unit embedding. Rounding weights to fp16 moves one by up to 1e-3.
TOLERANCE = 3e-3
ROW_TOLERANCE = 1e-5  # the same weights: only the order of sums may differ
MIN_COSINE = 0.9999


class Parity(Record):
    """Largest absolute differences of coordinates, and the lowest cosine, over ``crops`` crops.

    ``eager_difference``: the trained network in fp32 against the exported file as the service
    loads it; ``row_difference``: the exported file on one crop against a row of ``row`` crops.
    """

    weights: str
    crops: int
    row: int
    eager_difference: float
    row_difference: float
    min_cosine: float
    tolerance: float
    row_tolerance: float
    least_cosine: float

    @property
    def holds(self) -> bool:
        """Whether the differences and the cosine are within their tolerances."""
        return (
            self.eager_difference <= self.tolerance
            and self.row_difference <= self.row_tolerance
            and self.min_cosine >= self.least_cosine
        )


def made_patterns() -> ByteImage:
    """Return crops that show nobody, ``(32, 3, 112, 112)``: the golden input, turned and noisy."""
    random = np.random.default_rng(0)
    golden = golden_input(FACE_SIZE)[0].astype(np.int64)
    patterns = []
    for number in range(PATTERNS):
        turned = np.rot90(golden, number % 4, axes=(1, 2))
        noise = random.integers(-2 * number, 2 * number + 1, golden.shape)
        patterns.append(np.clip(turned + noise, 0, 255))
    return np.stack(patterns).astype(np.uint8)


@torch.inference_mode()
def measure_parity(student: nn.Module, path: Path, faces: ByteImage, weights: str) -> Parity:
    """Compare ``student`` with the file exported from it, on faces ``(N, 3, 112, 112)``."""
    exported = load_module(path, torch.device("cpu"))
    eager = ServedEmbedder(student).cpu().eval()
    crops = torch.from_numpy(np.ascontiguousarray(faces))
    alone = torch.cat([exported(crop) for crop in crops.split(1)])
    rows = torch.cat([exported(row) for row in crops.split(ROW)])
    trained = torch.cat([eager(row) for row in crops.split(ROW)])
    return Parity(
        weights=weights,
        crops=len(crops),
        row=ROW,
        eager_difference=_largest(trained - rows),
        row_difference=_largest(alone - rows),
        min_cosine=float((trained.double() * rows.double()).sum(dim=1).min()),
        tolerance=TOLERANCE,
        row_tolerance=ROW_TOLERANCE,
        least_cosine=MIN_COSINE,
    )


def _largest(difference: Tensor) -> float:
    return float(difference.abs().max())


PARITY_FACES = 256


def parity_faces(root: Path) -> ByteImage:
    """Return made patterns and validation faces, uint8 ``(N, 3, 112, 112)``."""
    val = centre_faces(read_people(root, "val"))
    return np.concatenate([made_patterns(), val[:: max(1, len(val) // PARITY_FACES)]])
