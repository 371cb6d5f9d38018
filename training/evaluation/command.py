"""``python -m training evaluate`` and ``python -m training whole-photos``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from app.domain.model_manifest import ModelManifest
from training.evaluation.embedders import ExportedEmbedder, open_embedder, read_manifest
from training.evaluation.evaluate import evaluate_embedder
from training.evaluation.report import evaluation_sheets, print_sheets
from training.evaluation.whole_photos import judge_whole_photos
from training.export.files import write_text
from training.torch_setup import choose_device

ModelOption = Annotated[
    str, typer.Option(help="An exported model's folder, a checkpoint.pt, or 'teachers'.")
]
DataOption = Annotated[
    Path, typer.Option("--data", envvar="FACEGATE_TRAINING_DATA", help="Folder with the data.")
]
DEFAULT_DATA = Path("../shared/data")
CACHE = Path("runs/cache")


def evaluate(
    model: ModelOption,
    data: DataOption = DEFAULT_DATA,
    out: Annotated[
        Path | None,
        typer.Option(help="JSON to write; for an exported model, its folder's evaluation.json."),
    ] = None,
    recipe: Annotated[str, typer.Option(help="Whose teachers 'teachers' means.")] = "all",
    device: Annotated[str | None, typer.Option(help="cpu or cuda; chosen by itself.")] = None,
) -> None:
    """Measure a model on LFW, validation people and strangers, with 95 % intervals."""
    embedder = open_embedder(model, data, recipe, CACHE, choose_device(device))
    threshold = None
    if Path(model).is_dir():
        manifest = ModelManifest.from_json(read_manifest(Path(model)))
        threshold = manifest.identify.similarity
        out = out or Path(model) / "evaluation.json"
    result = evaluate_embedder(embedder, data, threshold)
    console = Console(width=None if Console().is_terminal else 160)
    console.print(f"[bold]{result.model}[/bold]")
    print_sheets(evaluation_sheets(result), console)
    if out is not None:
        write_text(out, result.model_dump_json(indent=1) + "\n")
        console.print(f"written: {out}")


def whole_photos(
    model: Annotated[Path, typer.Option(help="An exported model's folder.")],
    data: DataOption = DEFAULT_DATA,
) -> None:
    """Run LFW photos through the service's own vision code and compare with ready crops."""
    result = judge_whole_photos(ExportedEmbedder(model, choose_device("cpu")), data)
    table = Table(
        "photos",
        "misses",
        "several faces",
        "passer-by larger",
        "pairs",
        "crops %",
        "photos, middle face %",
        "photos, largest face %",
        "agreement",
    )
    table.add_row(
        str(result.photos),
        str(len(result.misses)),
        str(result.several_faces),
        str(len(result.larger_passer_by)),
        str(result.pairs),
        f"{100 * result.crop_accuracy:.2f}",
        f"{100 * result.photo_accuracy:.2f}",
        f"{100 * result.largest_accuracy:.2f}",
        f"{result.agreement:.4f}",
    )
    Console().print(table)
    if result.misses:
        Console().print("no face found in: " + ", ".join(result.misses))
