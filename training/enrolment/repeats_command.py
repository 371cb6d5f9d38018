"""``python -m training repeated-photos``."""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console

from app.domain.runtime import Runtime
from app.vision.detector import FaceDetector
from app.vision.opencv import configure_opencv
from app.vision.reader import FaceVision
from app.vision.weights import read_detector_weights
from training.data.invented_people import invented_people
from training.data.populations import read_people
from training.enrolment.repeats import (
    USUAL,
    KnownAgain,
    TakenForRepeats,
    measure_known_again,
    measure_taken_for_repeats,
)
from training.evaluation.command import CACHE, DEFAULT_DATA, DataOption
from training.evaluation.embedders import RuntimeEmbedder
from training.evaluation.served import ServedModelOption, newest_model
from training.foundation.sheets import Sheet, print_sheets

#: At least so many of the usual ways must be known again, and at most so many pairs of one person's
#: photos may be as alike as that: there are pictures twice among them.
LEAST_KNOWN = 0.9
MOST_ALIKE = 0.002


def repeated_photos(
    model: ServedModelOption = None,
    data: DataOption = DEFAULT_DATA,
    web_photos: Annotated[
        int, typer.Option(help="How many photos of the data to encode anew, beside the invented.")
    ] = 60,
) -> None:
    """Measure whether a photo sent again is known, and whether another one is taken for it.

    Fails (1) where too few are known again, or too many photos of one person are as alike.
    """
    configure_opencv(threads=1)
    embedder = RuntimeEmbedder(model or newest_model(), Runtime.AUTO, CACHE)
    vision = FaceVision(FaceDetector(read_detector_weights()))
    photos = [person.photos[0].read_bytes() for person in invented_people()]
    photos += _some_photos(data / "photos.tar", web_photos)
    again = measure_known_again(vision, embedder.embedder.embed, photos)
    people = read_people(data, "val")
    embeddings = np.asarray(embedder.embed(people), np.float64)
    others = measure_taken_for_repeats(embeddings, people.identities.numpy())
    print_sheets([_again_sheet(again), _others_sheet(others)], Console())
    usual = [one for one in again if one.way in USUAL]
    missed = [one.way for one in usual if one.share < LEAST_KNOWN]
    if missed or len(usual) < len(USUAL) or others.alike > MOST_ALIKE * others.pairs:
        typer.echo(f"not known again: {missed}; too alike: {others}", err=True)
        raise typer.Exit(1)


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
