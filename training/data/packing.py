"""Packs a recipe's data into small files that travel: one zip for each tar, crops as WebP.

For a machine with a GPU that only a few megabytes reach at a time. A zip is read like the tar it
came from, so that the same recipe runs on either; zips, because tar pads every small file.
"""

from __future__ import annotations

import shutil
import tarfile
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from training.data.crops import encoded_members
from training.foundation.errors import DataError
from training.recipes.recipe import Recipe

BATCH = 512


@dataclass(frozen=True)
class PackedFile:
    """A file of the pack, its size and how many pictures it holds (none for a copy)."""

    path: Path
    size_bytes: int
    pictures: int


def pack_data(
    recipe: Recipe, root: Path, out: Path, *, size: int, quality: int
) -> list[PackedFile]:
    """Write what ``recipe`` reads below ``root`` to ``out``, crops re-encoded at ``size`` px.

    Pictures that cannot be decoded are left out, as reading leaves them out. Raises ``DataError``
    where a file of the recipe is missing.
    """
    packed = []
    for source in recipe.sources:
        for name in source.paths:
            packed.append(
                _packed_shard(root / name, out / Path(name).with_suffix(".zip"), size, quality)
            )
        if source.attributes:
            packed.append(_copied(root / source.attributes, out / source.attributes))
    for teacher in recipe.teachers:
        packed.append(_copied(root / teacher.path, out / teacher.path))
    return packed


def found_shard(path: Path) -> Path:
    """Return ``path``, or the zip that was packed from it where only that is here."""
    packed = path.with_suffix(".zip")
    return packed if not path.exists() and packed.is_file() else path


def _packed_shard(source: Path, target: Path, size: int, quality: int) -> PackedFile:
    if not (source.is_dir() or (source.is_file() and tarfile.is_tarfile(source))):
        raise DataError(f"{source} is neither a folder nor a tar file")
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".partial")
    count = 0
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive, ThreadPoolExecutor() as pool:
        for batch in _batches(encoded_members(source)):
            packed = pool.map(lambda item: _encoded(item[1], size, quality), batch)
            for (name, _), content in zip(batch, packed, strict=True):
                if content is not None:
                    archive.writestr(name, content)  # attributes know it by this name
                    count += 1
    partial.replace(target)
    return PackedFile(target, target.stat().st_size, count)


def _batches(members: Iterator[tuple[str, bytes]]) -> Iterator[list[tuple[str, bytes]]]:
    batch: list[tuple[str, bytes]] = []
    for member in members:
        batch.append(member)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _encoded(content: bytes, size: int, quality: int) -> bytes | None:
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        return None
    if picture.shape[:2] != (size, size):
        picture = cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA)
    return cv2.imencode(".webp", picture, [cv2.IMWRITE_WEBP_QUALITY, quality])[1].tobytes()


def _copied(source: Path, target: Path) -> PackedFile:
    if not source.is_file():
        raise DataError(f"{source} does not exist")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    return PackedFile(target, target.stat().st_size, 0)
