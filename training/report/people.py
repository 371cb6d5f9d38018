"""The report of a face embedder: LFW and strangers, evaluated with what validation people chose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from app.domain.faces import Picture
from app.vision.detector import FaceDetector
from training.data.crops import CropSet
from training.evaluation.embedded_people import EmbeddedCrops, EmbeddedPeople
from training.evaluation.table_evaluation import MAX_ROWS, SEED, evaluate_table
from training.foundation.arrays import IntArray
from training.foundation.sheets import Sheet
from training.metrics.embedding_table import EmbeddingTable
from training.report.curves import LogLine
from training.report.discretion import Shown, discreet
from training.report.strips import PictureOf
from training.report.write import write_report

MIN_STRANGERS = 1 / 6  # of the rows judged, however many LFW has


def report_people(
    people: EmbeddedPeople,
    folder: Path,
    *,
    blur_with: FaceDetector | None = None,
    sheets: Sequence[Sheet] = (),
    log: Sequence[LogLine] = (),
    recipe: str | None = None,
    environment: Mapping[str, str] | None = None,
    max_rows: int = MAX_ROWS,
    seed: int = SEED,
) -> Path:
    """Write ``report.html`` and what it shows into ``folder``; return its path.

    Strangers are identities of one image, so that they are the outsiders of the open set; as many
    are drawn by ``seed`` as ``max_rows`` leaves room for. With ``blur_with`` faces are blurred and
    names are numbers. Raises ``DataError`` where no identity has two images.
    """
    drawn = _drawn_strangers(people, max_rows, seed)
    shown = Shown(
        _table_of("val", people.val),
        _test_table(people, drawn),
        _pictures_of({"lfw": people.lfw.crops, "strangers": people.strangers.crops}),
    )
    if blur_with is not None:
        shown = discreet(shown, blur_with)
    evaluation = evaluate_table(
        shown.validation, shown.test, people.model, people.sha256, seed, max_rows
    )
    return write_report(
        folder,
        evaluation,
        shown.test,
        picture_of=shown.picture_of,
        log=log,
        recipe=recipe,
        environment=environment,
        title=f"Face embedder: {people.model}",
        sheets=sheets,
        notes=_notes(people, len(drawn), seed, blurred=blur_with is not None),
    )


def _drawn_strangers(people: EmbeddedPeople, max_rows: int, seed: int) -> IntArray:
    """Return the rows of the strangers to be evaluated, ascending."""
    there_are = len(people.strangers.crops)
    room = max(max_rows - len(people.lfw.crops), round(MIN_STRANGERS * max_rows))
    chosen = np.random.default_rng(seed).permutation(there_are)[:room]
    rows: IntArray = np.sort(chosen).astype(np.int64)
    return rows


def _table_of(name: str, embedded: EmbeddedCrops) -> EmbeddingTable:
    """Return people with their files as keys; the folder of the first file names each."""
    labels = embedded.crops.identities.numpy().astype(np.int64)
    keys = tuple(f"{name}/{file}" for file in embedded.crops.files)
    folders = {int(label): key.rsplit("/", 1)[0] for label, key in zip(labels, keys, strict=True)}
    names = tuple(folders.get(number, "") for number in range(int(labels.max()) + 1))
    return EmbeddingTable(embedded.faces, labels, keys, names)


def _test_table(people: EmbeddedPeople, drawn: IntArray) -> EmbeddingTable:
    """Return LFW and, each an identity by itself, the strangers of the rows ``drawn``."""
    lfw = _table_of("lfw", people.lfw)
    keys = tuple(f"strangers/{people.strangers.crops.files[row]}" for row in drawn)
    first = len(lfw.label_names)
    return EmbeddingTable(
        np.concatenate([lfw.embeddings, people.strangers.faces[drawn]]),
        np.concatenate([lfw.labels, np.arange(first, first + len(drawn))]).astype(np.int64),
        (*lfw.keys, *keys),
        (*lfw.label_names, *keys),
    )


def _pictures_of(sets: Mapping[str, CropSet]) -> PictureOf:
    """Return the source of crops by ``<set>/<file>``, uint8 RGB ``(128, 128, 3)``."""
    row_of = {
        f"{name}/{file}": (crops, row)
        for name, crops in sets.items()
        for row, file in enumerate(crops.files)
    }

    def picture_of(key: str) -> Picture:
        crops, row = row_of[key]
        picture: Picture = crops.images[row].permute(1, 2, 0).numpy()
        return picture

    return picture_of


def _notes(people: EmbeddedPeople, drawn: int, seed: int, *, blurred: bool) -> list[str]:
    there_are = len(people.strangers.crops)
    notes = [
        "Validation are the validation people, test is LFW and strangers of one image each: they "
        "are the outsiders, together with the people of LFW with too few images."
    ]
    if drawn < there_are:
        notes.append(
            f"Of {there_are:,} strangers {drawn:,} take part, drawn with the seed {seed}; the "
            "tables of the evaluation are of all."
        )
    if blurred:
        notes.append("Faces are blurred, and numbers stand for names.")
    return notes
