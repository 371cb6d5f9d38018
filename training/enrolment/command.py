"""``python -m training enrolment``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.console import Console

from app.domain.embeddings import as_embedding
from app.domain.model_manifest import ModelManifest
from app.domain.policy import RiskPolicy, duplicate_similarity
from app.domain.recognisability import Recognisability
from training.data.populations import read_people, read_pools, read_strangers
from training.enrolment.faces import trial_faces
from training.enrolment.grouped_faces import (
    RESEMBLED,
    Recognise,
    chosen_of_pools,
    measure_grouped_crops,
    measure_whole_photos,
    read_whole_photos,
)
from training.enrolment.guards import (
    GALLERY_PEOPLE,
    FalseAlarm,
    agreement_figures,
    duplicate_figures,
    false_alarms,
)
from training.enrolment.limits import ENROLLED_PHOTOS, measure_limits
from training.enrolment.pose import measured_yaw
from training.enrolment.refusals import (
    LEAST_FACES,
    GroupedFaces,
    refusals_by_group,
    unequal_limits,
)
from training.enrolment.report import (
    exposure_sheet,
    guard_sheets,
    limits_sheet,
    refusals_sheet,
    rule_sheets,
)
from training.enrolment.trial import run_trial
from training.evaluation.command import CACHE, DEFAULT_DATA, DataOption
from training.evaluation.embedders import ExportedEmbedder, read_manifest
from training.evaluation.false_matches import LEAST_PEOPLE
from training.evaluation.served import (
    DEFAULT_TARGETS,
    ServedModelOption,
    newest_model,
)
from training.foundation.device import choose_device
from training.foundation.files import write_text
from training.foundation.sheets import Sheet, print_sheets, sheets_markdown


def enrolment(
    model: ServedModelOption = None,
    data: DataOption = DEFAULT_DATA,
    out: Annotated[Path | None, typer.Option(help="Markdown file to write the tables to.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu or cuda; chosen by itself.")] = None,
) -> None:
    """Compare the ways from several photos to one person, and measure the enrolment guards.

    Fails (1) where new people are surely asked about more often than the guard allows.
    """
    sheets, alarms = enrolment_sheets(model or newest_model(), data, device)
    _show(sheets, out)
    broken = [alarm for found in alarms.values() for alarm in found if alarm.broken]
    if broken:
        typer.echo("\n".join(f"too many alarms: {alarm}" for alarm in broken), err=True)
        raise typer.Exit(1)


def quality_limits(
    model: ServedModelOption = None,
    data: DataOption = DEFAULT_DATA,
    out: Annotated[Path | None, typer.Option(help="Markdown file to write the table to.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu or cuda; chosen by itself.")] = None,
    only_groups: Annotated[
        bool, typer.Option("--only-groups", help="Only whom the limits refuse, not what they gain.")
    ] = False,
) -> None:
    """Count whom each quality limit refuses, by group, and what is gained: the error beyond it.

    Fails (1) where a limit surely refuses some group more than 1.5 times as often as another.
    """
    model = model or newest_model()
    embedder = ExportedEmbedder(model, choose_device(device), CACHE)
    manifest = ModelManifest.from_json(read_manifest(model))
    stages = {"door": manifest.verification_limits, "enrolment": manifest.enrollment_limits}
    refusals = []
    for faces in _grouped_faces(embedder, manifest.recognisability, data):
        typer.echo(f"measured: {len(faces.qualities):,} {faces.source}")
        refusals.append(refusals_by_group(faces, stages))
    sheets = [refusals_sheet(found) for found in refusals if found]
    if not only_groups:
        verify = RiskPolicy(manifest, DEFAULT_TARGETS).verify(photos=ENROLLED_PHOTOS)
        people = read_people(data, "val")
        measured = measure_limits(
            embedder,
            people,
            verify.threshold.similarity,
            manifest.calibration,
            typer.echo,
            measured_yaw(people),
        )
        sheets += [exposure_sheet(measured), limits_sheet(measured)]
    _show(sheets, out)
    unequal = unequal_limits(one for found in refusals for one in found)
    if unequal:
        typer.echo("\n".join(f"unequal: {one}" for one in unequal), err=True)
        raise typer.Exit(1)


def _grouped_faces(
    embedder: ExportedEmbedder, centres: Recognisability | None, data: Path
) -> Iterator[GroupedFaces]:
    """Yield the faces of known groups of every source below ``data``; raises ``DataError``."""

    def told_by(centres: Recognisability) -> Recognise:
        return lambda face: centres.of(as_embedding(embedder.embed_faces(face[None])[0]))

    recognise = None if centres is None else told_by(centres)
    fairface = [data / "fairface-0.tar", data / "fairface-1.tar"]
    yield measure_grouped_crops(
        "FairFace crops", fairface, data / "fairface.csv", mark_black=True, recognise=recognise
    )
    table = data / "strangers.csv"
    yield measure_grouped_crops(
        "strangers' crops",
        [data / "strangers.tar"],
        table,
        mark_black=False,
        recognise=recognise,
    )
    strangers = read_strangers(data)
    pools = read_pools(table, strangers.files, LEAST_FACES, by_gender=False)
    rows, some = chosen_of_pools(pools, RESEMBLED)
    embeddings = embedder.embed(strangers.of(torch.from_numpy(rows)))
    yield measure_whole_photos(read_whole_photos(data), embedder, embeddings, some, centres)


def _show(sheets: list[Sheet], out: Path | None) -> None:
    console = Console(width=None if Console().is_terminal else 200)
    print_sheets(sheets, console)
    if out is not None:
        write_text(out, sheets_markdown(sheets))
        console.print(f"written: {out}")


def enrolment_sheets(
    model: Path, data: Path, device: str | None
) -> tuple[list[Sheet], dict[str, tuple[FalseAlarm, ...]]]:
    """Return every table, and the false alarms by the name of the guard's threshold.

    Raises ``DataError`` or ``CheckpointError`` where something is amiss.
    """
    manifest = ModelManifest.from_json(read_manifest(model))
    embedder = ExportedEmbedder(model, choose_device(device), CACHE)
    val, strangers = read_people(data, "val"), read_strangers(data)
    pools = read_pools(data / "strangers.csv", strangers.files, LEAST_PEOPLE)
    faces = trial_faces(embedder, val, strangers)
    calibration = manifest.calibration
    stated = RiskPolicy(manifest, DEFAULT_TARGETS)
    thresholds = {
        f"guard of {people:,} people": (people, duplicate_similarity(manifest, stated, people))
        for people in GALLERY_PEOPLE
    }
    alarms = {
        name: tuple(
            alarm
            for alarm in false_alarms(faces.strangers, pools, limit)
            if alarm.gallery == people
        )
        for name, (people, limit) in thresholds.items()
    }
    sheets = guard_sheets(
        agreement_figures(faces.val, faces.people, faces.strangers, pools, calibration),
        {
            name: duplicate_figures(faces.val, faces.people, limit)
            for name, (_, limit) in thresholds.items()
        },
        alarms,
    )
    return rule_sheets(run_trial(faces, calibration, typer.echo)) + sheets, alarms
