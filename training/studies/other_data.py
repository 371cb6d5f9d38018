"""A learned network on data that its run has not seen: judged by what its own validation chose."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from training.data.blurring import watchful_detector
from training.data.readers.registry import ImageKind, guess_kind, read_images
from training.data.transform import load_images
from training.engines.learned import read_held_out
from training.engines.run_folder import BEST
from training.evaluation.table_evaluation import TARGET_FPIR
from training.evaluation.table_results import TableEvaluation
from training.foundation.checkpoints import load_checkpoint
from training.foundation.device import choose_device
from training.foundation.environment import describe_environment
from training.foundation.errors import CheckpointError
from training.foundation.sheets import Sheet
from training.metrics.table_parts import OUTSIDER_SHARE
from training.recipes.metric_recipe import MetricRecipe
from training.recipes.run_recipe import recipe_in
from training.report.discretion import Shown
from training.report.other_data import (
    OtherData,
    evaluate_other_data,
    notes_of,
    report_other_data,
)
from training.report.sheets import table_evaluation_notes, table_evaluation_sheets
from training.search.metric_embedder import MetricEmbedder


@dataclass(frozen=True)
class OtherDataFigures:
    """The figures with all that a report of them shows."""

    data: OtherData
    evaluation: TableEvaluation
    shown: Shown
    recipe: MetricRecipe
    outsiders: float
    device: torch.device


def learned_checkpoint(model: Path) -> Path | None:
    """Return the file of a learned network that ``model`` names, ``None`` where it names another.

    That is a folder with ``best.pt`` and no manifest, or a checkpoint, of a run of ``learn``.
    """
    if model.is_dir():
        if (model / "manifest.json").is_file():
            return None
        model = model / BEST
    try:
        recipe_in(load_checkpoint(model, torch.device("cpu")), MetricRecipe, model)
    except CheckpointError:
        return None
    return model


def run(
    data: Path,
    model: Path,
    *,
    kind: ImageKind | None = None,
    fpir: float = TARGET_FPIR,
    outsiders: float = OUTSIDER_SHARE,
    blur_faces: bool = False,
    device: str | None = None,
) -> OtherDataFigures:
    """Embed the images of ``data`` and evaluate them, a share of the identities as ``outsiders``.

    ``model`` is the file of a learned network in its run's folder, ``fpir`` the risk for which the
    run's validation chooses. Raises ``CheckpointError`` where
    the run's folder keeps no validation embeddings, ``DataError`` for data that cannot be read or
    judged.
    """
    chosen = choose_device(device)
    held_out = read_held_out(model.parent)
    embedder = MetricEmbedder(model, chosen)
    read = read_images(kind or guess_kind(data), data, leftovers="leave_out")
    images = load_images(read, embedder.recipe.data.transform)
    other = OtherData(read.name, images, embedder.embed_fitted(images.images), held_out)
    evaluation, shown = evaluate_other_data(
        other,
        embedder.name,
        embedder.sha256,
        fpir=fpir,
        outsiders=outsiders,
        blur_with=watchful_detector() if blur_faces else None,
    )
    return OtherDataFigures(other, evaluation, shown, embedder.recipe, outsiders, chosen)


def remarks(record: OtherDataFigures) -> list[str]:
    """Return what a reader has to know of run, data and figures, a sentence or two each."""
    return [*notes_of(record.data), *table_evaluation_notes(record.evaluation)]


def tables(record: OtherDataFigures) -> list[Sheet]:
    """Return every table of the evaluation."""
    return table_evaluation_sheets(record.evaluation)


def report(record: OtherDataFigures, folder: Path) -> Path:
    """Write ``report.html`` and its pictures; return its path."""
    return report_other_data(
        record.data,
        record.evaluation,
        record.shown,
        folder,
        recipe=record.recipe.model_dump_json(indent=1),
        environment={k: str(v) for k, v in describe_environment(record.device).items()},
        outsiders=record.outsiders,
    )
