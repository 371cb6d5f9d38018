"""What a model cannot read, fitted and kept in its folder: centres and limits, tables of both."""

from __future__ import annotations

import json
from pathlib import Path

from app.domain.model_manifest import ModelManifest
from training.calibration.recognisability.fit import (
    centres_of,
    embed_odd,
    embed_plain,
    fit_limits,
)
from training.calibration.recognisability.tables import (
    choice_sheet,
    cost_sheet,
    kind_sheet,
    manifest_block,
)
from training.evaluation.embedders import ExportedEmbedder, read_manifest
from training.evaluation.kept_answers import CACHE
from training.export.package import RECOGNISABILITY
from training.foundation.device import choose_device
from training.foundation.files import write_text
from training.foundation.sheets import Sheet, sheets_markdown
from training.recipes.build_recipe import RecognisabilityRecipe


def fit_recognisability(
    folder: Path,
    data: Path,
    settings: RecognisabilityRecipe,
    *,
    cache: Path = CACHE,
    write: bool = True,
) -> list[Sheet]:
    """Fit centres and limits of the model in ``folder``; return what they cost and catch.

    Other numbers of centres stand beside, on people and kinds that no centre was fitted on. With
    ``write`` the manifest gets the centres and the limits, and the tables lie beside it.
    """
    document = dict(read_manifest(folder))
    manifest = ModelManifest.from_json(document)
    threshold, worst = manifest.verify.similarity, manifest.verify.population
    embedder = ExportedEmbedder(folder, choose_device("cpu"), cache)
    odd, plain = embed_odd(embedder, data, worst, settings), embed_plain(embedder, data)
    fitted = centres_of(odd, settings.centres)
    limits = fit_limits(plain.val, fitted, settings)
    sheets = [
        choice_sheet(odd, plain, threshold, settings),
        cost_sheet(plain, fitted, limits),
        kind_sheet(odd, fitted, limits, threshold),
    ]
    if write:
        document["recognisability"] = manifest_block(fitted, limits, odd, settings, manifest.sha256)
        ModelManifest.from_json(document)
        write_text(folder / RECOGNISABILITY, sheets_markdown(sheets))
        write_text(folder / "manifest.json", json.dumps(document, indent=1) + "\n")
    return sheets
