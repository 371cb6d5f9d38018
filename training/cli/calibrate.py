"""``python -m training calibrate``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from app.domain.model_manifest import ModelManifest
from training.calibration.own_calibration import OwnCrops
from training.calibration.own_people import OwnSources
from training.calibration.people import calibrate_on, print_calibration
from training.cli.options import DEFAULT_DATA, BuildOption, DataOption, ModelOption
from training.cli.own_people import (
    AlignOption,
    GroupsOption,
    LeaveOutOption,
    PeopleOption,
    StrangersOption,
    read_own_people,
)
from training.engines.learned_from import LEARNED_FROM, read_learned_from
from training.evaluation.embedders import ExportedEmbedder, open_embedder, read_manifest
from training.evaluation.kept_answers import CACHE
from training.export.learned_origin import LearnedOrigin
from training.export.manifest import calibration_keys
from training.export.origin import ORIGIN
from training.export.package import ExportError
from training.export.provenance import DataFile
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
    people: PeopleOption = None,
    strangers: StrangersOption = None,
    groups: GroupsOption = None,
    align: AlignOption = False,
    leave_out_learned: LeaveOutOption = False,
    device: Annotated[str | None, typer.Option(help="cpu or cuda; chosen by itself.")] = None,
) -> None:
    """Fit probabilities, the tail of false matches and the default thresholds.

    On the people of the training data, or on people of your own (--people, --strangers).
    """
    chosen, settings = choose_device(device), load_build_recipe(build).calibrate
    if people is not None:
        sources = OwnSources(people, strangers, groups, align, leave_out_learned)
        crops, files = _own_people(Path(model), sources)
        exported = ExportedEmbedder(Path(model), chosen)
        result = crops.calibration(
            exported.embed_faces, exported.name, str(exported.sha256), settings
        )
    else:
        loaded = load_recipe(recipe)
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
        if people is not None:
            document["data"] = [file.model_dump(mode="json") for file in files]
        write_text(path, json.dumps(document, indent=1) + "\n")
        typer.echo(f"written: {path}")


def _own_people(folder: Path, sources: OwnSources) -> tuple[OwnCrops, tuple[DataFile, ...]]:
    """Return the people to calibrate an exported model on: others than it learned from."""
    origin = ORIGIN.validate_python(read_manifest(folder)["origin"])
    if not isinstance(origin, LearnedOrigin):
        return read_own_people(sources)
    record = read_learned_from(folder)
    if record is None:
        raise ExportError(
            f"{folder / LEARNED_FROM} is missing, which says whom the network learned from; "
            "export it again"
        )
    return read_own_people(sources, (record, origin.recipe.data.transform))
