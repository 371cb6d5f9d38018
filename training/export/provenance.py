"""Where a model comes from: hashes of the data, versions of the libraries."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from training.evaluation.results import Record
from training.recipe import Recipe

LIBRARIES = ("torch", "numpy", "opencv-python-headless", "scipy")
CALIBRATION_FILES = ("val.tar", "strangers.tar", "strangers.csv")
CHUNK_BYTES = 1 << 20


class DataFile(Record):
    """A file of the data: its name below the data folder, what it was for, and its SHA-256."""

    path: str
    role: str
    sha256: str | None


def data_files(recipe: Recipe, root: Path) -> tuple[DataFile, ...]:
    """Return every file that made the weights or the thresholds; no hash where it is not here."""
    roles: dict[str, str] = {}
    for source in recipe.sources:
        for path in (*source.paths, *([source.attributes] if source.attributes else [])):
            roles[path] = f"training ({source.name})"
    for teacher in recipe.teachers:
        roles[teacher.path] = f"teacher ({teacher.name})"
    trained = tuple(
        DataFile(path=path, role=role, sha256=file_hash(root / path))
        for path, role in roles.items()
    )
    return (*trained, *calibration_files(root))


def calibration_files(root: Path) -> tuple[DataFile, ...]:
    """Return the files that made the thresholds; no hash where one is not here."""
    return tuple(
        DataFile(path=path, role="calibration and thresholds", sha256=file_hash(root / path))
        for path in CALIBRATION_FILES
    )


def file_hash(path: Path) -> str | None:
    """Return the SHA-256 of a file, or of the files of a folder and their names; None for none."""
    if path.is_dir():
        digest = hashlib.sha256()
        for file in sorted(item for item in path.rglob("*") if item.is_file()):
            digest.update(f"{file.relative_to(path).as_posix()} {file_hash(file)}\n".encode())
        return digest.hexdigest()
    if not path.is_file():
        return None
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def library_versions(names: Sequence[str] = LIBRARIES) -> dict[str, str]:
    """Return Python's and the libraries' versions."""
    return {"python": platform.python_version()} | {name: version(name) for name in names}
