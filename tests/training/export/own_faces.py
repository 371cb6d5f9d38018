"""Folders of made pictures that stand for faces: a pattern for each identity, and noise."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

PEOPLE, PHOTOS, STRANGERS = 6, 3, 24


def write_identities(
    root: Path, names: list[str], photos: int, *, first: int = 0, side: int = 112
) -> Path:
    """Write ``<name>/<n>.png`` below ``root``; ``first`` numbers the patterns of the names."""
    for number, name in enumerate(names, start=first):
        pattern = np.random.default_rng(number).integers(0, 256, (8, 8, 3), dtype=np.uint8)
        picture = cv2.resize(pattern, (side, side), interpolation=cv2.INTER_NEAREST)
        (root / name).mkdir(parents=True)
        for photo in range(photos):
            noise = np.random.default_rng([number, photo]).normal(0, 25, picture.shape)
            shown = np.clip(picture + noise, 0, 255).astype(np.uint8)
            assert cv2.imwrite(str(root / name / f"{photo}.png"), shown)
    return root


def write_population(root: Path) -> tuple[Path, Path]:
    """Write people of three photos each and strangers of one; return both folders."""
    people = write_identities(root / "people", [f"p{n:02d}" for n in range(PEOPLE)], PHOTOS)
    strangers = write_identities(
        root / "strangers", [f"s{n:02d}" for n in range(STRANGERS)], 1, first=PEOPLE
    )
    return people, strangers
