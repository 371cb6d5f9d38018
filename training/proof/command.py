"""``python -m training prove``: exits non-zero where a stated risk is not kept."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console

from app.domain.model_manifest import ModelManifest, Threshold
from app.domain.policy import RiskPolicy, RiskTargets
from app.domain.tails import GenuineScores, ImpostorTail
from training.calibration.calibrate import CalibrationFaces, calibrate_embedder
from training.calibration.command import read_faces
from training.calibration.results import Calibration
from training.evaluation.command import CACHE, DEFAULT_DATA, DataOption
from training.evaluation.embedders import ExportedEmbedder, read_manifest
from training.evaluation.pairs import pairs_within
from training.evaluation.populations import Pool, read_people
from training.evaluation.report import Sheet, estimate_text, markdown, print_sheets
from training.evaluation.served import DEFAULT_TARGETS, ServedModelOption, newest_model
from training.export.files import write_text
from training.proof.groups import GroupErrors, errors_by_group
from training.proof.pictures import draw_probabilities
from training.proof.probabilities import ProvedProbabilities, prove_probabilities
from training.proof.promises import KeptPromise, Population, prove_promises
from training.recipe import load_recipe
from training.torch_setup import choose_device

SIZES = (10, 30, 100, 300, 1000)
RISKS = (0.1, 0.03, 0.01, 0.003, 0.001)
PROVED_SIZES = (10, 100, 1000)
GROUP_GALLERY = 100
ROUNDS = 20
TARGETS = RiskTargets(max(RISKS), DEFAULT_TARGETS.fmr)  # each promise names its own rate


def prove(
    model: ServedModelOption = None,
    data: DataOption = DEFAULT_DATA,
    out: Annotated[Path, typer.Option(help="Markdown to write.")] = Path("runs/prove/proof.md"),
    recipe: Annotated[str, typer.Option(help="Whose teachers find people twice.")] = "all",
    device: Annotated[str | None, typer.Option(help="cpu or cuda; chosen by itself.")] = None,
) -> None:
    """Count strangers taken for somebody, and compare probabilities with the truth."""
    chosen = choose_device(device)
    model = model or newest_model()
    embedder = ExportedEmbedder(model, chosen, CACHE)
    manifest = ModelManifest.from_json(read_manifest(model))
    lfw = read_people(data, "lfw")
    test = Population("LFW", embedder.embed(lfw), lfw.identities.numpy())
    faces = read_faces(embedder, data, load_recipe(recipe), CACHE, chosen)
    promises = prove_promises(test, RiskPolicy(manifest, TARGETS), SIZES, RISKS, 3, ROUNDS)
    halved = HalfPolicy(faces, manifest)
    promises += prove_halves(halved)
    proved = prove_probabilities(test, manifest.calibration, PROVED_SIZES[:2], 3, 5)
    proved += prove_probabilities(test, manifest.calibration, PROVED_SIZES, 1, 5)
    groups = group_errors(halved)
    sheets = [
        promise_sheet(promises),
        *(group_sheet(title, errors) for title, errors in groups.items()),
        probability_sheet(proved),
    ]
    print_sheets(sheets, Console(width=None if Console().is_terminal else 160))
    text = "\n\n".join(f"**{sheet.title}**\n\n{markdown(sheet)}" for sheet in sheets)
    out.parent.mkdir(parents=True, exist_ok=True)
    write_text(out, text + "\n")
    picture = draw_probabilities(proved, out.with_name("reliability.png"))
    record = {
        "groups": {
            title: [one.model_dump(mode="json") for one in errors]
            for title, errors in groups.items()
        },
        "promises": [kept.model_dump(mode="json") for kept in promises],
        "probabilities": [one.model_dump(mode="json") for one in proved],
    }
    write_text(out.with_suffix(".json"), json.dumps(record, indent=1) + "\n")
    typer.echo(f"written: {out}, {picture.path}")
    broken = [kept for kept in promises if kept.broken]
    for kept in broken:
        typer.echo(
            f"not kept: {kept.stated:g} against {kept.people} of {kept.population}: "
            f"{estimate_text(kept.met)}",
            err=True,
        )
    if broken:
        raise typer.Exit(1)


class HalfPolicy:
    """A policy from one half of the validation people and strangers, and the other half."""

    def __init__(self, faces: CalibrationFaces, manifest: ModelManifest) -> None:
        fitted_half, self.tested = divided(faces)
        calibration = calibrate_embedder(fitted_half, "half", None)
        self.policy = RiskPolicy(with_calibration(manifest, calibration), TARGETS)


def prove_halves(halved: HalfPolicy) -> list[KeptPromise]:
    """Try the half that the policy has not seen.

    Galleries and strangers of one group and gender: a staff is rarely a mixture of the world.
    """
    kept = []
    for pool in halved.tested.pools:
        within = halved.tested.strangers[pool.rows]
        population = Population(f"half of {pool.name}", within, np.arange(len(within)))
        kept += prove_promises(population, halved.policy, SIZES, RISKS, 1, ROUNDS)
    return kept


def group_errors(halved: HalfPolicy) -> dict[str, list[GroupErrors]]:
    """Return the errors of single photos by group, on the half that the policy has not seen."""
    policy, tested = halved.policy, halved.tested
    fpir = DEFAULT_TARGETS.fpir
    thresholds = {
        f"1:1, stated FMR {TARGETS.fmr:g}": policy.verify().threshold.similarity,
        f"1:N, stated FPIR {fpir:g}, {GROUP_GALLERY} enrolled": policy.promise(
            fpir, GROUP_GALLERY
        ).threshold.similarity,
    }
    return {
        f"{name}, threshold {similarity:.3f}": errors_by_group(tested, similarity)
        for name, similarity in thresholds.items()
    }


def divided(faces: CalibrationFaces) -> tuple[CalibrationFaces, CalibrationFaces]:
    """Return two halves of the people, by turns; nobody is in both."""
    return _half(faces, 0), _half(faces, 1)


def _half(faces: CalibrationFaces, which: int) -> CalibrationFaces:
    val = np.nonzero(faces.people % 2 == which)[0]
    strangers = np.nonzero(np.arange(len(faces.strangers)) % 2 == which)[0]
    place = {int(row): position for position, row in enumerate(strangers)}
    found = faces.duplicates if faces.duplicates is not None else np.zeros((0, 2), np.int64)
    return CalibrationFaces(
        val=faces.val[val],
        people=faces.people[val],
        val_files=tuple(faces.val_files[row] for row in val),
        strangers=faces.strangers[strangers],
        stranger_files=tuple(faces.stranger_files[row] for row in strangers),
        pools=[
            Pool(pool.name, np.array([place[int(r)] for r in pool.rows if int(r) in place]))
            for pool in faces.pools
        ],
        duplicates=pairs_within(found, strangers),
    )


def with_calibration(manifest: ModelManifest, calibration: Calibration) -> ModelManifest:
    """Return the manifest with the tails, thresholds and genuine scores of another calibration."""
    identify = calibration.thresholds.identify
    return dataclasses.replace(
        manifest,
        tails=tuple(
            ImpostorTail(tail.population, tail.points, tail.extrapolated_below, tail.uppers)
            for tail in calibration.impostor_tails
        ),
        genuine=tuple(GenuineScores(one.photos, one.points) for one in calibration.genuine),
        identify=Threshold(identify.similarity, identify.false_match_rate, identify.population),
    )


def promise_sheet(promises: list[KeptPromise]) -> Sheet:
    """Return stated and met rates as a table."""
    rows = tuple(
        (
            kept.population,
            f"{kept.people:,}",
            str(kept.photos),
            f"{kept.stated:g}",
            f"{kept.threshold:.3f}",
            estimate_text(kept.met),
            f"{kept.met.trials:,}",
            "no promise" if not kept.supported else "BROKEN" if kept.broken else "kept",
        )
        for kept in promises
    )
    head = ("strangers", "enrolled", "photos", "stated", "threshold", "met", "attempts", "")
    return Sheet("Strangers taken for somebody (FPIR), stated and met", head, rows)


def group_sheet(title: str, errors: list[GroupErrors]) -> Sheet:
    """Return the errors by group as a table."""
    rows = tuple(
        (
            one.group,
            f"{one.people:,}",
            estimate_text(one.fmr),
            f"{one.over_all:.1f}",
            f"{one.genuine_people:,}",
            "-" if one.fnmr is None else estimate_text(one.fnmr),
        )
        for one in errors
    )
    head = ("group", "strangers", "FMR", "over everybody's", "people who resemble it", "FNMR")
    return Sheet(f"Errors by group: {title}", head, rows)


def probability_sheet(proved: list[ProvedProbabilities]) -> Sheet:
    """Return how far probabilities can be taken at their word as a table."""
    rows = tuple(
        (
            f"{one.people:,}",
            str(one.photos),
            one.traffic,
            f"{one.attempts:,}",
            f"{one.ece:.4f}",
            f"{one.brier:.4f}",
            f"{one.log_loss:.4f}",
        )
        for one in proved
    )
    head = ("enrolled", "photos", "traffic", "attempts", "ECE", "Brier", "log-loss")
    return Sheet("Probability of the most probable answer against the truth, LFW", head, rows)
