"""Pictures and names made fit to leave the house: faces blurred, numbers in place of names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from app.domain.faces import Picture
from app.vision.detector import FaceDetector
from training.data.blurring import blur_faces
from training.metrics.embedding_table import EmbeddingTable
from training.report.strips import PictureOf


@dataclass(frozen=True)
class Shown:
    """What a report is made of: two tables, and how to get a picture by a key of the second."""

    validation: EmbeddingTable
    test: EmbeddingTable
    picture_of: PictureOf


def discreet(shown: Shown, detector: FaceDetector) -> Shown:
    """Return the same with numbers for keys and identities, and every picture blurred.

    Numbers follow the names, so that whatever is ordered by name is ordered as before; an identity
    of both tables has one number.
    """
    names = sorted({*shown.validation.label_names, *shown.test.label_names})
    number_of = {name: f"no. {place:05d}" for place, name in enumerate(names, start=1)}
    validation, _ = _numbered(shown.validation, number_of)
    test, key_of = _numbered(shown.test, number_of)

    def picture_of(key: str) -> Picture:
        return shown.picture_of(key_of[key])

    return Shown(validation, test, blurred(picture_of, detector))


def blurred(picture_of: PictureOf, detector: FaceDetector) -> PictureOf:
    """Return a source of the same pictures with faces blurred; without a face all of it is."""

    def blurred_picture(key: str) -> Picture:
        return blur_faces(np.ascontiguousarray(picture_of(key)), detector)

    return blurred_picture


def _numbered(
    table: EmbeddingTable, number_of: Mapping[str, str]
) -> tuple[EmbeddingTable, dict[str, str]]:
    """Return the table with numbers for names, and the key behind each new one."""
    place_of = {key: place for place, key in enumerate(sorted(table.keys), start=1)}
    keys = tuple(f"image {place_of[key]:06d}" for key in table.keys)
    names = tuple(number_of[name] for name in table.label_names)
    numbered = replace(table, keys=keys, label_names=names)
    return numbered, dict(zip(keys, table.keys, strict=True))
