"""The report of a learned network on other data than its run's: folders of people, any reader.

What the run's own validation identities choose (thresholds, calibration) is applied to images that
the run has never seen; some of their identities are kept as outsiders.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.domain.faces import Picture
from app.vision.detector import FaceDetector
from training.data.transform import LoadedImages
from training.engines.learned import HeldOut
from training.evaluation.table_evaluation import SEED, TARGET_FPIR, evaluate_table
from training.evaluation.table_results import TableEvaluation
from training.foundation.arrays import Matrix
from training.foundation.errors import DataError
from training.metrics.embedding_table import EmbeddingTable
from training.metrics.table_parts import OUTSIDER_SHARE
from training.report.discretion import Shown, discreet
from training.report.write import write_report


@dataclass(frozen=True)
class OtherData:
    """Images of a data set called ``name``, their embeddings ``(N, D)``, and what a run kept."""

    name: str
    images: LoadedImages
    embeddings: Matrix
    held_out: HeldOut


def evaluate_other_data(
    data: OtherData,
    model: str,
    sha256: str | None,
    *,
    fpir: float = TARGET_FPIR,
    outsiders: float = OUTSIDER_SHARE,
    seed: int = SEED,
    blur_with: FaceDetector | None = None,
) -> tuple[TableEvaluation, Shown]:
    """Return every figure of the images, and what a report of them shows.

    Raises ``DataError`` where the run kept no validation images, or the data have fewer than two
    identities, or no identity with two images.
    """
    held_out, images = data.held_out, data.images
    if not len(held_out.validation_labels):
        raise DataError("the run held no images out for validation: nothing chose a threshold")
    row_of = {key: row for row, key in enumerate(images.keys)}

    def picture_of(key: str) -> Picture:
        picture: Picture = images.images[row_of[key]].permute(1, 2, 0).numpy()
        return picture

    names = images.label_names
    test = EmbeddingTable(data.embeddings, images.labels.numpy(), images.keys, names)
    shown = Shown(_validation_table(held_out), test, picture_of)
    if blur_with is not None:
        shown = discreet(shown, blur_with)
    evaluation = evaluate_table(
        shown.validation, shown.test, model, sha256, seed, fpir=fpir, outsiders=outsiders
    )
    return evaluation, shown


def report_other_data(
    data: OtherData,
    evaluation: TableEvaluation,
    shown: Shown,
    folder: Path,
    *,
    pictures: bool = True,
    recipe: str | None = None,
    environment: Mapping[str, str] | None = None,
    outsiders: float = OUTSIDER_SHARE,
) -> Path:
    """Write ``report.html`` and what it shows into ``folder``; return its path."""
    return write_report(
        folder,
        evaluation,
        shown.test,
        picture_of=shown.picture_of if pictures else None,
        recipe=recipe,
        environment=environment,
        title=f"{evaluation.model} on {data.name}",
        notes=notes_of(data),
        outsiders=outsiders,
    )


def notes_of(data: OtherData) -> list[str]:
    """Return what a reader has to know of run and data: who may have been learned from."""
    notes = [
        f"The test images are those of {data.name}; thresholds and calibration are those that the "
        "run's own validation identities chose."
    ]
    if not data.held_out.train_names:
        notes.append(
            "The run keeps no names of the identities that it learned from: whether some of these "
            "are among them cannot be told."
        )
        return notes
    learned = set(data.held_out.train_names)
    learned |= {name.split("/", 1)[-1] for name in learned}  # of several sources, without theirs
    shared = len(learned & set(data.images.label_names))
    if shared:
        notes.append(
            f"{shared:,} of the {len(data.images.label_names):,} identities have names that "
            "the run learned from: where they are the same, these figures flatter."
        )
    return notes


def _validation_table(held_out: HeldOut) -> EmbeddingTable:
    """Return a run's validation embeddings; numbers stand for names that it has not kept."""
    labels = held_out.validation_labels.numpy()
    count = int(labels.max()) + 1
    names = held_out.validation_names or tuple(f"validation {n}" for n in range(count))
    keys = held_out.validation_keys or tuple(f"validation/{row}" for row in range(len(labels)))
    embeddings = held_out.validation_embeddings.numpy()
    return EmbeddingTable(embeddings, labels.astype(np.int64), keys, names)
