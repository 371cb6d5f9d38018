"""``python -m training calibrate``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from app.domain.model_manifest import ModelManifest
from training.calibration.people import calibrate_on, print_calibration
from training.cli.options import DEFAULT_DATA, BuildOption, DataOption, ModelOption
from training.evaluation.embedders import open_embedder, read_manifest
from training.evaluation.kept_answers import CACHE
from training.export.manifest import calibration_keys
from training.foundation.device import choose_device
from training.foundation.files import write_text
from training.recipes.build_recipe import SHIPPED, load_build_recipe
from training.recipes.recipe import load_recipe


def calibrate(
    model: ModelOption,
    data: DataOption = DEFAULT_DATA,
    out: Annotated[
        Path | None,
        typer.Option(help="JSON to write; for an exported model, its manifest is updated."),
    ] = None,
    recipe: Annotated[str, typer.Option(help="Whose teachers find people twice.")] = "all",
    build: BuildOption = SHIPPED,
    device: Annotated[str | None, typer.Option(help="cpu or cuda; chosen by itself.")] = None,
) -> None:
    """Fit probabilities, the tail of false matches and the default thresholds."""
    chosen = choose_device(device)
    loaded, settings = load_recipe(recipe), load_build_recipe(build).calibrate
    embedder = open_embedder(model, data, recipe, CACHE, chosen)
    result = calibrate_on(embedder, data, loaded, CACHE, chosen, settings)
    print_calibration(result)
    if out is not None:
        write_text(out, result.model_dump_json(indent=1) + "\n")
        typer.echo(f"written: {out}")
    elif Path(model).is_dir():
        path = Path(model) / "manifest.json"
        document = {**read_manifest(Path(model)), **calibration_keys(result)}
        ModelManifest.from_json(document)
        write_text(path, json.dumps(document, indent=1) + "\n")
        typer.echo(f"written: {path}")
