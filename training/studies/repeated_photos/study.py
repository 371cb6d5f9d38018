"""Whether a photo sent again is known, and whether another one is taken for it."""

from __future__ import annotations

import tarfile
from pathlib import Path

import numpy as np

from app.domain.runtime import Runtime
from app.vision.detector import FaceDetector
from app.vision.opencv import configure_opencv
from app.vision.reader import FaceVision
from app.vision.weights import read_detector_weights
from training.data.invented_people import invented_people
from training.data.populations import read_people
from training.evaluation.embedders import RuntimeEmbedder
from training.evaluation.kept_answers import CACHE
from training.foundation.records import Record
from training.foundation.sheets import Sheet
from training.studies.repeated_photos.measure import (
    USUAL,
    KnownAgain,
    TakenForRepeats,
    measure_known_again,
    measure_taken_for_repeats,
)

#: At least so many of the usual ways must be known again, and at most so many pairs of one person's
#: photos may be as alike as that: there are pictures twice among them.
MIN_KNOWN_AS_DUPLICATE = 0.9
MAX_ALIKE = 0.002


class RepeatedPhotos(Record):
    """Photos sent again, way by way, and pairs of one person's photos that are as alike."""

    again: tuple[KnownAgain, ...]
    others: TakenForRepeats


def run(data: Path, model: Path, *, web_photos: int = 60) -> RepeatedPhotos:
    """Encode photos anew and look for them; compare different photos of one person.

    ``web_photos`` is how many photos below ``data`` are encoded, beside those of invented people.
    """
    configure_opencv(threads=1)
    embedder = RuntimeEmbedder(model, Runtime.AUTO, CACHE)
    vision = FaceVision(FaceDetector(read_detector_weights()))
    photos = [person.photos[0].read_bytes() for person in invented_people()]
    photos += _some_photos(data / "photos.tar", web_photos)
    again = measure_known_again(vision, embedder.embedder.embed, photos)
    people = read_people(data, "val")
    embeddings = np.asarray(embedder.embed(people), np.float64)
    others = measure_taken_for_repeats(embeddings, people.identities.numpy())
    return RepeatedPhotos(again=again, others=others)


def tables(record: RepeatedPhotos) -> list[Sheet]:
    """Return a table of photos sent again, and one of other photos."""
    return [_again_sheet(record.again), _others_sheet(record.others)]


def faults(record: RepeatedPhotos) -> list[str]:
    """Return what is not as it should be: too few known again, too many others as alike."""
    usual = [one for one in record.again if one.way in USUAL]
    missed = [one.way for one in usual if one.share < MIN_KNOWN_AS_DUPLICATE]
    alike = record.others.alike > MAX_ALIKE * record.others.pairs
    if missed or len(usual) < len(USUAL) or alike:
        return [f"not known again: {missed}; too alike: {record.others}"]
    return []


def _some_photos(archive: Path, count: int) -> list[bytes]:
    """Return up to ``count`` pictures, spread over the archive."""
    with tarfile.open(archive) as pictures:
        members = [one for one in pictures if one.isfile() and one.name.endswith(".jpg")]
        chosen = members[:: max(1, len(members) // max(1, count))][:count]
        files = (pictures.extractfile(member) for member in chosen)
        return [file.read() for file in files if file is not None]


def _again_sheet(again: tuple[KnownAgain, ...]) -> Sheet:
    return Sheet(
        "Photos sent again, encoded anew",
        ("way", "photos that can be enrolled", "known again", "lowest similarity"),
        tuple(
            (one.way, str(one.photos), f"{one.share:.3f}", f"{one.lowest_similarity:.3f}")
            for one in again
        ),
    )


def _others_sheet(others: TakenForRepeats) -> Sheet:
    return Sheet(
        "Two photos of one validation person, by similarity alone",
        ("pairs", "as alike as a photo sent again"),
        ((f"{others.pairs:,}", f"{others.alike:,}"),),
    )
