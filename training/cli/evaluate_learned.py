"""``python -m training evaluate`` of a learned network, on any data that a reader knows."""

from __future__ import annotations

from pathlib import Path

import typer
from rich.console import Console

from training.data.readers.registry import ImageKind
from training.foundation.files import write_text
from training.foundation.sheets import print_sheets
from training.studies import other_data

SHOWN_SKIPS = 5


def evaluate_learned(
    checkpoint: Path,
    data: Path,
    *,
    kind: ImageKind | None,
    fpir: float,
    outsiders: float,
    out: Path | None,
    report: Path | None,
    blur_faces: bool,
    device: str | None,
) -> None:
    """Judge the images of ``data`` by what the run's validation chose; print, write and report."""
    record = other_data.run(
        data,
        checkpoint,
        kind=kind,
        fpir=fpir,
        outsiders=outsiders,
        blur_faces=blur_faces,
        device=device,
    )
    skipped = record.data.images.skipped
    for key, reason in skipped[:SHOWN_SKIPS]:
        typer.echo(f"left out: {key}: {reason}", err=True)
    if len(skipped) > SHOWN_SKIPS:
        typer.echo(f"left out: {len(skipped) - SHOWN_SKIPS} more", err=True)
    console = Console(width=None if Console().is_terminal else 160)
    title = f"{record.evaluation.model} on {record.data.name}"
    console.print(title, style="bold", markup=False, highlight=False)
    for note in other_data.remarks(record):
        console.print(note, markup=False, highlight=False)
    print_sheets(other_data.tables(record), console)
    if out is not None:
        write_text(out, record.evaluation.model_dump_json(indent=1) + "\n")
        typer.echo(f"written: {out}")
    if report is not None:
        typer.echo(f"report: {other_data.report(record, report)}")
