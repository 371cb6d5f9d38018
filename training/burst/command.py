"""``python -m training burst``: what three and five frames gain over one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from app.domain.model_manifest import ModelManifest
from app.domain.policy import RiskPolicy
from training.burst.measure import FPIR, IdentifyThresholds, measure_bursts
from training.burst.results import BurstReport, FusionFigures, LineCheck
from training.data.populations import read_people, read_strangers
from training.evaluation.bursts import days_apart, one_moment, unseen_moment
from training.evaluation.command import CACHE, DEFAULT_DATA, DataOption
from training.evaluation.embedders import ExportedEmbedder, read_manifest
from training.evaluation.served import DEFAULT_TARGETS, ServedModelOption, newest_model
from training.foundation.device import choose_device
from training.foundation.files import write_text
from training.foundation.sheets import Sheet, print_sheets, sheets_markdown
from training.metrics.estimates import Estimate
from training.metrics.intervals import SEED

GAINS = (
    "frames",
    "bursts (people)",
    f"FNIR % at FPIR {100 * FPIR:.0f} %",
    "weighted alike",
    "FNIR % at the policy's",
    "FPIR % there",
    "shift",
)
LINES = ("line fitted on", "slope, intercept", "Cllr", "ECE %")
REFUSALS = ("frames", "one person refused %", "one foreign frame missed %")
MOST_ENROLLED = 500  # of LFW; the shipped model can promise 1 % to somewhat more


def burst(
    model: ServedModelOption = None,
    data: DataOption = DEFAULT_DATA,
    out: Annotated[
        Path | None, typer.Option(help="JSON to write, and tables in Markdown beside it.")
    ] = None,
    strangers: Annotated[int, typer.Option(min=100, help="Strangers to simulate.")] = 1_500,
    device: Annotated[str | None, typer.Option(help="cpu or cuda; chosen by itself.")] = None,
) -> None:
    """Measure bursts of 1, 3 and 5 frames: misses, calibration, refusals.

    Fails (1) where strangers' bursts surely pass more often than the stated risk.
    """
    model = model or newest_model()
    embedder = ExportedEmbedder(model, choose_device(device), CACHE)
    manifest = ModelManifest.from_json(read_manifest(model))
    people = read_people(data, "val")
    photos = embedder.embed(people)
    moment = one_moment(photos, people, read_strangers(data), embedder, strangers, SEED)
    unseen = unseen_moment(read_people(data, "lfw"), embedder, MOST_ENROLLED, strangers, SEED)
    trials = [days_apart(photos, people, SEED), moment, unseen]
    report = BurstReport(
        model=embedder.name,
        sha256=embedder.sha256,
        kinds=tuple(
            measure_bursts(trial, manifest.calibration, _thresholds(manifest, len(trial.gallery)))
            for trial in trials
        ),
    )
    sheets = report_sheets(report)
    print_sheets(sheets, Console(width=None if Console().is_terminal else 200))
    if out is not None:
        write_text(out, report.model_dump_json(indent=1) + "\n")
        write_text(out.with_suffix(".md"), sheets_markdown(sheets))
        typer.echo(f"written: {out}, {out.with_suffix('.md')}")
    if broken := broken_promises(report, DEFAULT_TARGETS.fpir):
        typer.echo("\n".join(f"not kept: {line}" for line in broken), err=True)
        raise typer.Exit(1)


def _thresholds(manifest: ModelManifest, people: int) -> IdentifyThresholds:
    """Return what the service asks for against so many people of one photo, by default."""
    policy = RiskPolicy(manifest, DEFAULT_TARGETS)
    single, fused = (
        policy.promise(DEFAULT_TARGETS.fpir, people, fused=fused, photos=1)
        for fused in (False, True)
    )
    return IdentifyThresholds(single.threshold.similarity, fused.threshold.similarity)


def broken_promises(report: BurstReport, stated: float) -> list[str]:
    """Return a line for every number of frames at which strangers surely pass too often."""
    return [
        f"{kind.source}, {row.frames} frames: FPIR {_percent(row.fpir_at_identify)} %, "
        f"stated {100 * stated:g} %"
        for kind in report.kinds
        for row in kind.fusion
        if row.fpir_at_identify.low > stated
    ]


def report_sheets(report: BurstReport) -> list[Sheet]:
    """Return one table of gains and one of refusals for each kind of burst."""
    sheets = []
    for kind in report.kinds:
        name = f"{kind.source}, gallery of {kind.gallery_people} people of one photo"
        gains = tuple(
            (*(_gain_cells(row) if number == 0 else ("",) * len(GAINS)), *_line_cells(line))
            for row in kind.fusion
            for number, line in enumerate(row.lines)
        )
        sheets.append(Sheet(f"Bursts: {name}", (*GAINS, *LINES), gains))
        refusals = tuple(
            (str(one.frames), _percent(one.refused), _percent(one.missed)) for one in kind.mixtures
        )
        sheets.append(Sheet(f"Bursts refused: {kind.source}", REFUSALS, refusals))
    return sheets


def _gain_cells(row: FusionFigures) -> tuple[str, ...]:
    return (
        str(row.frames),
        f"{row.bursts} ({row.people})",
        _percent(row.fnir),
        _percent(row.plain_fnir),
        _percent(row.fnir_at_identify),
        _percent(row.fpir_at_identify),
        f"{row.shift:+.3f}",
    )


def _line_cells(line: LineCheck) -> tuple[str, ...]:
    fitted_on = "1 frame" if line.fitted_on == 1 else f"{line.fitted_on} frames"
    return (
        fitted_on,
        f"{line.slope:.1f}, {line.intercept:.2f}",
        f"{line.cllr:.3f}",
        _percent(line.ece),
    )


def _percent(estimate: Estimate) -> str:
    return f"{100 * estimate.value:.1f} ({100 * estimate.low:.1f}-{100 * estimate.high:.1f})"
