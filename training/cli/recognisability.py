"""``python -m training recognisability``: what a model cannot read, into its manifest."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console

from app.domain.model_manifest import ModelManifest
from training.calibration.recognisability.fit import (
    centres_of,
    embed_odd,
    embed_plain,
    fit_limits,
)
from training.calibration.recognisability.tables import (
    CENTRES,
    choice_sheet,
    cost_sheet,
    kind_sheet,
    manifest_block,
)
from training.cli.options import DEFAULT_DATA, DataOption, ServedModelOption
from training.evaluation.embedders import ExportedEmbedder, read_manifest
from training.evaluation.kept_answers import CACHE
from training.evaluation.served import newest_model
from training.export.package import RECOGNISABILITY
from training.foundation.device import choose_device
from training.foundation.files import write_text
from training.foundation.sheets import markdown, print_sheets


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
        document["recognisability"] = manifest_block(fitted, limits, odd, manifest.sha256)
        ModelManifest.from_json(document)
        text = "\n\n".join(f"**{sheet.title}**\n\n{markdown(sheet)}" for sheet in sheets)
        write_text(folder / RECOGNISABILITY, text + "\n")
        write_text(folder / "manifest.json", json.dumps(document, indent=1) + "\n")
        typer.echo(f"written: {folder / 'manifest.json'}")
