"""The report of a learning run: what was held out, evaluated with what validation chose."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from app.domain.faces import Picture
from app.vision.detector import FaceDetector
from training.data.learning_data import LearningData
from training.data.learning_parts import LearningParts, sources_of
from training.engines.learned import HeldOut
from training.engines.run_folder import BEST
from training.evaluation.table_evaluation import evaluate_table
from training.foundation.environment import describe_environment
from training.foundation.errors import DataError
from training.foundation.files import file_sha256
from training.metrics.embedding_table import EmbeddingTable
from training.metrics.listed_pairs import evaluate_listed_pairs
from training.recipes.metric_recipe import MetricRecipe
from training.report.discretion import Shown, discreet
from training.report.sheets import note_of_listed, sheet_of_listed
from training.report.write import read_log, write_report


def report_run(
    recipe: MetricRecipe,
    parts: LearningParts,
    held_out: HeldOut,
    folder: Path,
    device: torch.device,
    *,
    pictures: bool = True,
    blur_with: FaceDetector | None = None,
) -> Path:
    """Write ``report.html`` and what it shows into the run's folder; return its path.

    With ``blur_with`` faces are blurred and numbers stand for names.
    Raises ``DataError`` where too little was held out, for validation too: a threshold chosen on
    the judged images would flatter.
    """
    if not len(parts.validation):
        raise DataError("the recipe holds no images out for validation")
    validation = table_of(parts.validation, held_out.validation_embeddings)
    test = table_of(parts.test, held_out.embeddings, parts.sources)
    row_of = {key: row for row, key in enumerate(parts.test.keys)}

    def picture_of(key: str) -> Picture:
        picture: Picture = parts.test.images[row_of[key]].permute(1, 2, 0).numpy()
        return picture

    evaluated = [evaluate_listed_pairs(listed, test) for listed in parts.listed]
    shown = Shown(validation, test, picture_of)
    if blur_with is not None:
        shown = discreet(shown, blur_with)
    digest = _hash_of(folder / BEST)
    environment = {name: str(value) for name, value in describe_environment(device).items()}
    return write_report(
        folder,
        evaluate_table(shown.validation, shown.test, recipe.name, digest, recipe.seed),
        shown.test,
        picture_of=shown.picture_of if pictures else None,
        log=read_log(folder / "log.jsonl"),
        recipe=recipe.model_dump_json(indent=1),
        environment=environment,
        title=f"Learned similarity: {recipe.name}",
        sheets=[sheet_of_listed(found) for found in evaluated if found.figures is not None],
        notes=[note_of_listed(found) for found in evaluated],
    )


def table_of(data: LearningData, embeddings: Tensor, sources: Sequence[str] = ()) -> EmbeddingTable:
    """Return the embeddings of images with their keys and identities; numbers name the nameless.

    ``sources`` are the names of the data sets, where there are several.
    """
    names = data.label_names or tuple(map(str, range(data.classes)))
    return EmbeddingTable(
        embeddings.numpy(), data.labels.numpy(), data.keys, names, sources_of(data.keys, sources)
    )


def _hash_of(weights: Path) -> str | None:
    """Return the hash by which the evaluation is known to be of these weights."""
    return file_sha256(weights) if weights.is_file() else None
