"""``python -m training evaluate`` of a learned network, on any data that a reader knows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
import typer
from rich.console import Console

from training.data.blurring import watchful_detector
from training.data.readers.registry import ImageKind, guess_kind, read_images
from training.data.transform import load_images
from training.engines.learned import read_held_out
from training.engines.run_folder import BEST, CHECKPOINT
from training.foundation.checkpoints import load_checkpoint
from training.foundation.environment import describe_environment
from training.foundation.errors import CheckpointError
from training.foundation.files import write_text
from training.foundation.sheets import print_sheets
from training.metrics.separation import collapse_warning
from training.recipes.metric_recipe import MetricRecipe
from training.recipes.run_recipe import recipe_in
from training.report.other_data import (
    OtherData,
    evaluate_other_data,
    notes_of,
    report_other_data,
)
from training.report.sheets import table_evaluation_notes, table_evaluation_sheets
from training.search.metric_embedder import MetricEmbedder

SHOWN_SKIPS = 5


@dataclass(frozen=True)
class LearnedOptions:
    """What was asked for besides network and data."""

    kind: ImageKind | None
    fpir: float
    outsiders: float
    out: Path | None
    report: Path | None
    blur_faces: bool


def learned_checkpoint(model: Path) -> Path | None:
    """Return the file of a learned network that ``model`` names, ``None`` where it names another.

    That is a folder with ``best.pt`` and no manifest, or a file, of a run of ``learn``.
    """
    if model.is_dir():
        if (model / "manifest.json").is_file() or not (model / BEST).is_file():
            return None
        model = model / BEST
    if model.name not in {BEST, CHECKPOINT} and model.suffix != ".pt":
        return None
    try:
        recipe_in(load_checkpoint(model, torch.device("cpu")), MetricRecipe, model)
    except CheckpointError:
        return None
    return model


def evaluate_learned(
    checkpoint: Path, data: Path, device: torch.device, options: LearnedOptions
) -> None:
    """Embed the images of ``data``, judge them by what the run's validation chose, and report.

    Raises ``CheckpointError`` where the run's folder keeps no validation embeddings, ``DataError``
    for data that cannot be read or judged.
    """
    held_out = read_held_out(checkpoint.parent)
    embedder = MetricEmbedder(checkpoint, device)
    read = read_images(options.kind or guess_kind(data), data, leftovers="leave_out")
    images = load_images(read, embedder.recipe.data.transform)
    for key, reason in images.skipped[:SHOWN_SKIPS]:
        typer.echo(f"left out: {key}: {reason}", err=True)
    if len(images.skipped) > SHOWN_SKIPS:
        typer.echo(f"left out: {len(images.skipped) - SHOWN_SKIPS} more", err=True)
    other = OtherData(read.name, images, embedder.embed_fitted(images.images), held_out)
    evaluation, shown = evaluate_other_data(
        other,
        embedder.name,
        embedder.sha256,
        fpir=options.fpir,
        outsiders=options.outsiders,
        blur_with=watchful_detector() if options.blur_faces else None,
    )
    console = Console(width=None if Console().is_terminal else 160)
    console.print(f"[bold]{evaluation.model}[/bold] on {read.name}", highlight=False)
    for note in (*notes_of(other), *table_evaluation_notes(evaluation)):
        console.print(note, markup=False, highlight=False)
    print_sheets(table_evaluation_sheets(evaluation), console)
    if evaluation.spread is not None and evaluation.spread.collapsed:
        typer.echo(collapse_warning(evaluation.spread), err=True)
    if options.out is not None:
        write_text(options.out, evaluation.model_dump_json(indent=1) + "\n")
        typer.echo(f"written: {options.out}")
    if options.report is not None:
        page = report_other_data(
            other,
            evaluation,
            shown,
            options.report,
            recipe=embedder.recipe.model_dump_json(indent=1),
            environment={k: str(v) for k, v in describe_environment(device).items()},
            outsiders=options.outsiders,
        )
        typer.echo(f"report: {page}")
