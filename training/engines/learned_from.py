"""Whom a run learned from, without their names: a calibration must have nothing of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic import ValidationError
from torch import Tensor

from training.data.learning_parts import LearningParts
from training.foundation.errors import CheckpointError
from training.foundation.files import write_text
from training.foundation.records import Record

LEARNED_FROM = "learned-from.json"
_MARK_BYTES = 8


class LearnedFrom(Record):
    """Marks of the identities and pictures that chose a run's weights.

    Those of its train part and of its validation part, which chose the best of them. A mark is the
    start of a SHA-256: of an identity's name, so that a model's folder names nobody, and of a
    picture's pixels as the network saw them. ``grey``: every picture had no colour.
    """

    identities: tuple[str, ...]
    pictures: tuple[str, ...]
    grey: bool


def learned_from(parts: LearningParts) -> LearnedFrom:
    """Return whom a run of these parts learns from."""
    names: set[str] = set()
    pictures: set[str] = set()
    for part in (parts.train, parts.validation):
        if len(part):
            names |= {mark for name in part.label_names for mark in name_marks(name)}
            pictures |= set(picture_marks(part.images))
    images = parts.train.images
    grey = bool((images[:, 0] == images[:, 1]).all() and (images[:, 1] == images[:, 2]).all())
    return LearnedFrom(identities=tuple(sorted(names)), pictures=tuple(sorted(pictures)), grey=grey)


def name_marks(name: str) -> set[str]:
    """Return the marks of an identity's name: whole, and without the set that it stands in."""
    whole = {name, name.split("/", 1)[-1]}
    return {_mark(f"identity {one}".encode()) for one in whole}


def picture_marks(images: Tensor) -> list[str]:
    """Return the mark of each picture, uint8 ``(N, 3, S, S)``."""
    return [_mark(image.numpy().tobytes()) for image in images.contiguous()]


def write_learned_from(record: LearnedFrom, folder: Path) -> None:
    """Write the record into a run's or a model's folder."""
    write_text(folder / LEARNED_FROM, record.model_dump_json() + "\n")


def read_learned_from(folder: Path) -> LearnedFrom | None:
    """Return the record of a folder, None where it has none; raises ``CheckpointError``."""
    path = folder / LEARNED_FROM
    if not path.is_file():
        return None
    try:
        return LearnedFrom.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise CheckpointError(f"{path} does not say whom a run learned from") from error


def learned_among(
    record: LearnedFrom, names: Sequence[str], labels: Sequence[str], images: Tensor
) -> set[str]:
    """Return which of the identities ``names`` the run learned from.

    By their names, and by each of their pictures, fitted as the run fits them, uint8
    ``(N, 3, S, S)``; ``labels`` say whose each is.
    """
    known, seen = set(record.identities), set(record.pictures)
    by_name = {name for name in names if name_marks(name) & known}
    by_picture = _owners(labels, (mark in seen for mark in picture_marks(images)))
    return by_name | by_picture


def _owners(labels: Sequence[str], chosen: Iterable[bool]) -> set[str]:
    return {label for label, one in zip(labels, chosen, strict=True) if one}


def _mark(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[: 2 * _MARK_BYTES]
