"""Where a model comes from: hashes of the data, versions of the libraries."""

from __future__ import annotations

from pathlib import Path

from training.foundation.files import file_hash
from training.foundation.records import Record
from training.recipes.recipe import Recipe

CALIBRATION_FILES = ("val.tar", "strangers.tar", "strangers.csv")


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


def picture_files(people: str, strangers: str | None, groups: Path | None) -> tuple[DataFile, ...]:
    """Return what a calibration on an operator's own people was made of, told by hashes alone.

    A folder's name may name a company; it is told by its role.
    """
    named = (
        ("people", people.partition(":")[2] or people),
        ("strangers", strangers and (strangers.partition(":")[2] or strangers)),
        ("groups", None if groups is None else str(groups)),
    )
    return tuple(
        DataFile(
            path=role,
            role="calibration and thresholds",
            sha256=file_hash(Path(path).expanduser()),
        )
        for role, path in named
        if path is not None
    )


def calibration_files(root: Path) -> tuple[DataFile, ...]:
    """Return the files that made the thresholds; no hash where one is not here."""
    return tuple(
        DataFile(path=path, role="calibration and thresholds", sha256=file_hash(root / path))
        for path in CALIBRATION_FILES
    )
