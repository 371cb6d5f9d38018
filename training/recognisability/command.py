"""``python -m training recognisability``: what a model cannot read, into its manifest."""

from __future__ import annotations

import base64
import json
from typing import Annotated

import numpy as np
import typer
from rich.console import Console

from app.domain.model_manifest import ModelManifest
from app.domain.recognisability import Recognisability
from training.evaluation.command import CACHE, DEFAULT_DATA, DataOption
from training.evaluation.embedders import ExportedEmbedder, read_manifest
from training.evaluation.pairs import Matrix
from training.evaluation.report import Sheet, estimate_text, markdown, print_sheets
from training.evaluation.served import ServedModelOption, newest_model
from training.export.files import write_text
from training.export.package import RECOGNISABILITY
from training.recognisability.fit import (
    ENROLLMENT_SHARE,
    VERIFICATION_SHARE,
    Limits,
    OddRows,
    PlainRows,
    centres_of,
    embed_odd,
    embed_plain,
    fit_limits,
    outcome,
    refused,
)
from training.torch_setup import choose_device

TRIED = (1, 4, 16, 64, 128, 256, 512)
CENTRES = 256


def recognisability(
    model: ServedModelOption = None,
    data: DataOption = DEFAULT_DATA,
    centres: Annotated[int, typer.Option(min=1, help="How many centres the model gets.")] = CENTRES,
    write: Annotated[bool, typer.Option(help="Write centres and limits into the manifest.")] = True,
) -> None:
    """Fit the centres of what a model cannot read, and the limits; print what they cost and catch.

    Other numbers of centres stand beside, on people and kinds that no centre was fitted on.
    """
    folder = model or newest_model()
    document = dict(read_manifest(folder))
    manifest = ModelManifest.from_json(document)
    threshold, worst = manifest.verify.similarity, manifest.verify.population
    embedder = ExportedEmbedder(folder, choose_device("cpu"), CACHE)
    odd, plain = embed_odd(embedder, data, worst), embed_plain(embedder, data)
    fitted = centres_of(odd, centres)
    limits = fit_limits(plain.val, fitted)
    sheets = [
        choice_sheet(odd, plain, threshold),
        cost_sheet(plain, fitted, limits),
        kind_sheet(odd, fitted, limits, threshold),
    ]
    print_sheets(sheets, Console(width=None if Console().is_terminal else 160))
    if write:
        document["recognisability"] = manifest_block(fitted, limits, odd)
        ModelManifest.from_json(document)
        text = "\n\n".join(f"**{sheet.title}**\n\n{markdown(sheet)}" for sheet in sheets)
        write_text(folder / RECOGNISABILITY, text + "\n")
        write_text(folder / "manifest.json", json.dumps(document, indent=1) + "\n")
        typer.echo(f"written: {folder / 'manifest.json'}")


def manifest_block(centres: Matrix, limits: Limits, odd: OddRows) -> dict[str, object]:
    """Return what the manifest says of recognisability, readable by ``ModelManifest``."""
    block = Recognisability(centres, limits.enrollment, limits.verification)
    people = len(next(iter(odd.fitted.values())))
    return {
        "centres": base64.b64encode(centres.astype("<f4").tobytes()).decode(),
        "sha256": block.sha256,
        "min_enrollment": limits.enrollment,
        "min_verification": limits.verification,
        "evidence": (
            f"spherical k-means on up to {people} people of FairFace in {len(odd.fitted)} odd "
            f"kinds ({', '.join(odd.fitted)}); limits: {100 * ENROLLMENT_SHARE:g} % and "
            f"{100 * VERIFICATION_SHARE:g} % of validation photos lie below them"
        ),
    }


def choice_sheet(odd: OddRows, plain: PlainRows, threshold: float) -> Sheet:
    """Return what other numbers of centres refuse and leave, at the door's limit."""
    rows = []
    for count in TRIED:
        centres = centres_of(odd, count)
        limits = fit_limits(plain.val, centres)
        found = {
            name: outcome(odd.held_out[name], centres, limits.verification, threshold)
            for name in odd.held_out
        }
        seen = [one for name, one in found.items() if name in odd.fitted]
        unseen = [one for name, one in found.items() if name not in odd.fitted]
        rows.append(
            (
                str(count),
                f"{limits.enrollment:.3f} / {limits.verification:.3f}",
                f"{np.mean([one.refused.value for one in seen]):.3f}",
                f"{max(one.passing_and_matching for one in seen):.1e}",
                f"{np.mean([one.refused.value for one in unseen]):.3f}",
                f"{max(one.passing_and_matching for one in unseen):.1e}",
                f"{refused(plain.others['masked faces'], centres, limits.verification).value:.3f}",
                f"{refused(plain.others['LFW'], centres, limits.verification).value:.4f}",
            )
        )
    return Sheet(
        "How many centres: other people of FairFace, aligned crops, at the door's limit",
        (
            "centres",
            "limits: enrolment / door",
            "fitted kinds refused",
            "worst: pass and match",
            "other kinds refused",
            "worst: pass and match",
            "masked refused",
            "LFW refused",
        ),
        tuple(rows),
    )


def cost_sheet(plain: PlainRows, centres: Matrix, limits: Limits) -> Sheet:
    """Return which plain pictures are refused; limits were chosen on the validation people."""
    return Sheet(
        f"Refused of plain pictures (limits {limits.enrollment:.3f} and {limits.verification:.3f})",
        ("pictures", "number", "at enrolment", "at the door"),
        tuple(
            (
                name,
                f"{len(rows):,}",
                estimate_text(refused(rows, centres, limits.enrollment)),
                estimate_text(refused(rows, centres, limits.verification)),
            )
            for name, rows in (("validation (chose the limits)", plain.val), *plain.others.items())
        ),
    )


def kind_sheet(odd: OddRows, centres: Matrix, limits: Limits, threshold: float) -> Sheet:
    """Return each kind of rendering, of people that no centre was fitted on."""
    rows = []
    for name, embedded in odd.held_out.items():
        found = outcome(embedded, centres, limits.verification, threshold)
        rows.append(
            (
                name + ("" if name in odd.fitted else " (not fitted on)"),
                estimate_text(found.refused),
                f"{found.matching:.2e}",
                f"{found.passing_and_matching:.2e}",
            )
        )
    return Sheet(
        f"Odd crops of {len(next(iter(odd.held_out.values())))} other people: refused at the "
        f"door, and pairs of different people at or above {threshold:.3f}",
        ("kind", "refused", "pairs that match without", "pairs that pass and match"),
        tuple(rows),
    )
