"""``python -m training evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from app.domain.model_manifest import ModelManifest
from app.domain.runtime import Runtime
from training.cli.evaluate_learned import evaluate_learned
from training.cli.options import DEFAULT_DATA, DataOption, DeviceOption
from training.data.blurring import watchful_detector
from training.data.readers.registry import ImageKind
from training.engines.run_folder import LOG
from training.evaluation.embedded_people import EmbeddedPeople, embed_people
from training.evaluation.embedders import (
    TEACHERS,
    CheckpointEmbedder,
    CropEmbedder,
    RuntimeEmbedder,
    open_embedder,
    read_manifest,
)
from training.evaluation.evaluate import evaluate_people
from training.evaluation.evaluation_sheets import evaluation_sheets
from training.evaluation.kept_answers import CACHE
from training.evaluation.table_evaluation import TARGET_FPIR
from training.foundation.device import choose_device
from training.foundation.environment import describe_environment
from training.foundation.errors import DataError
from training.foundation.files import write_text
from training.foundation.sheets import Sheet, print_sheets
from training.metrics.table_parts import OUTSIDER_SHARE
from training.report.curves import LogLine
from training.report.people import report_people
from training.report.write import read_log
from training.studies.other_data import learned_checkpoint

EvaluatedOption = Annotated[
    str,
    typer.Option(
        help="An exported model's folder, a checkpoint.pt, 'teachers', or a learned network: the "
        "folder of a learn run, or its best.pt."
    ),
]
OutOption = Annotated[
    Path | None,
    typer.Option(help="JSON to write; a model folder's evaluation.json, none with --runtime."),
]
ReportOption = Annotated[
    Path | None, typer.Option(help="Folder for an HTML report with pictures; none without.")
]
BlurOption = Annotated[
    bool, typer.Option("--blur-faces", help="Blur the report's faces and hide names.")
]
RuntimeOption = Annotated[
    Runtime | None,
    typer.Option(help="Run a model's folder as the service does, by this, on the CPU."),
]
KindOption = Annotated[
    ImageKind | None,
    typer.Option(help="Of a learned network: how --data is stored; guessed by what is there."),
]
FpirOption = Annotated[
    float | None,
    typer.Option(
        min=1e-6, max=0.5, help="Of a learned network: outsiders that may be taken for somebody."
    ),
]
OutsidersOption = Annotated[
    float | None,
    typer.Option(min=0.01, max=0.99, help="Of a learned network: identities kept as outsiders."),
]


def evaluate(
    model: EvaluatedOption,
    data: DataOption = DEFAULT_DATA,
    out: OutOption = None,
    recipe: Annotated[str, typer.Option(help="Whose teachers 'teachers' means.")] = "all",
    report: ReportOption = None,
    blur_faces: BlurOption = False,
    device: DeviceOption = None,
    runtime: RuntimeOption = None,
    kind: KindOption = None,
    fpir: FpirOption = None,
    outsiders: OutsidersOption = None,
) -> None:
    """Measure a model with 95 % intervals: on LFW, validation people and strangers.

    A learned network (the folder of a `learn` run, or its best.pt) is measured on the images of
    --data, of any kind that recipes read, by the thresholds that its own validation chose for an
    --fpir of 0.01; 0.3 of the identities are kept as --outsiders.
    """
    if blur_faces and report is None:
        raise DataError("--blur-faces is for the pictures of a report; name its folder: --report")
    chosen = choose_device(device)
    learned = None if model == TEACHERS or runtime is not None else learned_checkpoint(Path(model))
    if learned is not None:
        evaluate_learned(
            learned,
            data,
            kind=kind,
            fpir=fpir or TARGET_FPIR,
            outsiders=outsiders or OUTSIDER_SHARE,
            out=out,
            report=report,
            blur_faces=blur_faces,
            device=device,
        )
        return
    if kind is not None or fpir is not None or outsiders is not None:
        raise DataError(
            f"--kind, --fpir and --outsiders are of a learned network; {model} is another model"
        )
    embedder: CropEmbedder
    if runtime is None:
        embedder = open_embedder(model, data, recipe, CACHE, chosen)
    else:
        embedder = _by_runtime(Path(model), runtime, out)
    if out is None and runtime is None and Path(model).is_dir():
        out = Path(model) / "evaluation.json"
    people, sheets = _evaluate_people(model, embedder, data, out)
    if report is not None:
        page = report_people(
            people,
            report,
            blur_with=watchful_detector() if blur_faces else None,
            sheets=sheets,
            log=_log_of(model),
            recipe=_recipe_of(embedder),
            environment={k: str(v) for k, v in describe_environment(chosen).items()},
        )
        typer.echo(f"report: {page}")


def _evaluate_people(
    model: str, embedder: CropEmbedder, data: Path, out: Path | None
) -> tuple[EmbeddedPeople, list[Sheet]]:
    """Measure a face embedder, print the tables and write the record; return what a report needs.

    The threshold of an exported model is its manifest's.
    """
    threshold = None
    if Path(model).is_dir():
        threshold = ModelManifest.from_json(read_manifest(Path(model))).identify.similarity
    people = embed_people(embedder, data)
    result = evaluate_people(people, data, threshold)
    sheets = evaluation_sheets(result)
    console = Console(width=None if Console().is_terminal else 160)
    console.print(f"[bold]{result.model}[/bold]")
    print_sheets(sheets, console)
    if out is not None:
        write_text(out, result.model_dump_json(indent=1) + "\n")
        console.print(f"written: {out}")
    return people, sheets


def _by_runtime(folder: Path, runtime: Runtime, out: Path | None) -> RuntimeEmbedder:
    """Return the folder's model as the service runs it; raises ``DataError`` for misuse."""
    if not folder.is_dir():
        raise DataError(f"--runtime runs a model's folder as the service does; {folder} is none")
    if out is not None and out.resolve().parent == folder.resolve():
        raise DataError("a card tells what the file itself says; with --runtime name another --out")
    return RuntimeEmbedder(folder, runtime, CACHE)


def _log_of(model: str) -> list[LogLine]:
    """Return the log of the run that a checkpoint lies in, if it does."""
    log = Path(model).parent / LOG
    return read_log(log) if Path(model).is_file() and log.is_file() else []


def _recipe_of(embedder: CropEmbedder) -> str | None:
    """Return the recipe that a checkpoint holds."""
    if not isinstance(embedder, CheckpointEmbedder):
        return None
    return embedder.recipe.model_dump_json(indent=1)
