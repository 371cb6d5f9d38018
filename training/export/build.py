"""The whole model by one recipe: from the student's training to the card, step by step.

What is made lies below the build's own folder; the folder of the version appears whole, at the end.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
from pydantic import Field

from app.domain.model_manifest import ModelManifest
from training.calibration.people import file_calibrator
from training.calibration.plainness.fit import fit_plainness
from training.calibration.plainness.tables import plainness_sheets
from training.data.packing import found_shard
from training.data.populations import people_archive
from training.engines.distillation import distill_recipe
from training.engines.interpolation import TRAINED_SHARE, interpolate_run
from training.engines.run import RunOptions
from training.engines.run_folder import CHECKPOINT, RunFolder
from training.evaluation.embedders import ExportedEmbedder, read_manifest
from training.evaluation.evaluate import evaluate_embedder
from training.evaluation.kept_answers import CACHE
from training.export.joint import join_checkpoint
from training.export.manifest import MODEL_FILE
from training.export.origin import BuildOrigin, Origin
from training.export.package import (
    PLAINNESS,
    card_of,
    read_training,
    write_manifest,
    write_module,
)
from training.export.parity import Parity, parity_faces
from training.export.provenance import data_files
from training.export.recognisability import fit_recognisability
from training.export.recovered import recovered_checkpoint
from training.export.steps import Step, StepRunner, copy_made, made_files, require_inputs
from training.foundation.checkpoints import load_checkpoint, save_checkpoint
from training.foundation.errors import CheckpointError, DataError
from training.foundation.files import file_hash, folder_made_whole, write_text
from training.foundation.precision import precision_of
from training.foundation.records import Record
from training.foundation.sheets import sheets_markdown
from training.recipes.build_recipe import BuildRecipe, PlainnessRecipe, joined_recipe
from training.recipes.recipe import MobileRecipe, Recipe
from training.recipes.run_recipe import recipe_in

CPU = torch.device("cpu")
NETWORK, MANIFEST, FIGURES, CARD = "network.json", "manifest.json", "evaluation.json", "README.md"


@dataclass(frozen=True)
class Build:
    """What to build, from which data, and where.

    ``checkpoint`` is a student that was trained already, ``model`` the folder of an exported model
    whose student is taken; at most one of them. Steps are made below ``run``, and the version's
    folder below ``models``, where one that differs is replaced only by ``force``.
    """

    recipe: BuildRecipe
    version: str
    data: Path
    run: Path
    models: Path
    device: torch.device
    tell: Callable[[str], None]
    checkpoint: Path | None = None
    model: Path | None = None
    force: bool = False
    cache: Path = CACHE

    @property
    def target(self) -> Path:
        """The version's folder."""
        return self.models / self.version

    @property
    def origin(self) -> BuildOrigin:
        """What the manifest says of the build."""
        model = None if self.model is None else self.model / MODEL_FILE
        return BuildOrigin(
            recipe=self.recipe,
            checkpoint=None if self.checkpoint is None else file_hash(self.checkpoint),
            model=None if model is None else file_hash(model),
        )


class ExportedNetwork(Record):
    """What is known of an exported module before it is calibrated."""

    origin: Annotated[Origin, Field(discriminator="kind")]
    parity: Parity


def build_model(build: Build) -> Path:
    """Make the model that a recipe describes, and return the version's folder.

    Each step is skipped where its record says that it was made from the same settings and files.
    Raises, before anything is made, ``DataError`` where data is missing, ``CheckpointError`` where
    the start is not the recipe's, and ``FileExistsError`` where the version was made otherwise.
    """
    steps = planned_steps(build)
    _refuse_another(build)
    require_inputs(steps, build.run)
    runner = StepRunner(build.run, build.tell)
    made = [runner.run(step) for step in steps]
    return _publish(build, _with_card(build, made[-1]))


def planned_steps(build: Build) -> list[Step]:
    """Return the steps from the student to its figures, in their order.

    Raises ``CheckpointError`` where what the build starts from is not the recipe's.
    """
    if build.version in {"", ".", ".."} or Path(build.version).name != build.version:
        raise DataError(f"a version is the name of a folder, as 2.3.0, not {build.version!r}")
    first, checkpoint, student, share = _start(build)
    steps = [] if first is None else [first]
    back, covers = build.recipe.interpolate, build.recipe.plainness
    if back is not None and share == 1:
        steps.append(_interpolate(build, student, checkpoint, back.share))
        checkpoint, share = build.run / "interpolate" / CHECKPOINT, back.share
    if share != (1 if back is None else back.share):
        raise CheckpointError(
            f"the start's weights are {share:g} of the way from its own start already, which is not"
            f" what [interpolate] of {build.recipe.name} asks for"
        )
    return [
        *steps,
        _export(build, student, checkpoint),
        _calibrate(build, student),
        _recognise(build),
        *([_tell_covers(build, covers)] if covers else []),
        _evaluate(build),
    ]


def _start(build: Build) -> tuple[Step | None, Path, Recipe, float]:
    """Return the step that makes the student, its checkpoint, its recipe and its share.

    The share is how far the weights are from a published start to the run's end.
    """
    wanted = build.recipe.distillation()
    if build.model is not None and build.checkpoint is not None:
        raise DataError("a build starts from a checkpoint or from a model, not from both")
    if build.checkpoint is not None:
        state = load_checkpoint(build.checkpoint, CPU)
        _require_name(recipe := recipe_in(state, Recipe, build.checkpoint), wanted)
        return None, build.checkpoint, recipe, float(state.get(TRAINED_SHARE, 1.0))
    if build.model is not None:
        state = recovered_checkpoint(build.model)
        _require_name(recipe := Recipe.model_validate(state["recipe"]), wanted)
        recover = _recover(build.model)
        share = float(state.get(TRAINED_SHARE, 1.0))
        return recover, build.run / recover.name / CHECKPOINT, recipe, share
    return _distill(build, wanted), build.run / "distill" / CHECKPOINT, wanted, 1.0


def _require_name(found: Recipe, wanted: Recipe) -> None:
    if found.name != wanted.name:
        raise CheckpointError(f"the student was trained by {found.name}, not by {wanted.name}")


def _distill(build: Build, recipe: Recipe) -> Step:
    """Train the student; a run that was stopped goes on from its checkpoint."""
    settled = recipe.on(build.device)

    def make(folder: Path) -> None:
        resume = (folder / CHECKPOINT).is_file()
        options = RunOptions(RunFolder(folder), build.device, resume=resume)
        distill_recipe(settled, build.data, build.cache, options, build.tell)

    return Step(
        "distill",
        {"recipe": settled.model_dump(mode="json")},
        _training_files(recipe, build.data),
        make,
        kept_in_place=(CHECKPOINT,),
    )


def _recover(model: Path) -> Step:
    """Read the student out of an exported model."""

    def make(folder: Path) -> None:
        save_checkpoint(folder / CHECKPOINT, recovered_checkpoint(model))

    files = {name: model / name for name in (MODEL_FILE, MANIFEST)}
    return Step("recover", {}, files, make)


def _interpolate(build: Build, student: Recipe, checkpoint: Path, share: float) -> Step:
    """Set the weights between the student's published start and its end."""

    def make(folder: Path) -> None:
        interpolate_run(checkpoint, folder / CHECKPOINT, share, build.data, build.cache)

    return Step(
        "interpolate",
        {"share": share, "precision": precision_of(CPU).value},
        {"checkpoint": checkpoint, **_training_files(student, build.data)},
        make,
    )


def _export(build: Build, student: Recipe, checkpoint: Path) -> Step:
    """Export the student, joined with SFace where the recipe says so, and prove its parity."""
    recipe, data = build.recipe, build.data
    settings = None if recipe.join is None else joined_recipe(recipe)

    def make(folder: Path) -> None:
        network, origin = read_training(checkpoint)
        exported: Origin = origin
        if settings is not None:
            joined = join_checkpoint(checkpoint, None, settings, data, build.cache, build.tell)
            network, exported = joined.network, joined.origin
        parity = write_module(network, folder / MODEL_FILE, parity_faces(data))
        known = ExportedNetwork(origin=exported, parity=parity)
        write_text(folder / NETWORK, known.model_dump_json(indent=1) + "\n")

    files = {"checkpoint": checkpoint, "val": people_archive(data, "val")}
    if settings is None:
        return Step("export", {}, files, make)
    values = settings.model_dump(mode="json") | {"precision": precision_of(CPU).value}
    return Step("export", values, {**files, **_training_files(student, data)}, make)


def _calibrate(build: Build, student: Recipe) -> Step:
    """Fit probabilities, tails and default thresholds, and write the manifest."""
    data, recipe, source = build.data, build.recipe, build.run / "export"

    def make(folder: Path) -> None:
        copy_made(source, folder)
        known = ExportedNetwork.model_validate_json((folder / NETWORK).read_text())
        (folder / NETWORK).unlink()
        calibrator = file_calibrator(data, student, build.device, recipe.calibrate, build.cache)
        files = data_files(student, data)
        write_manifest(
            folder,
            recipe.name,
            build.version,
            folder / MODEL_FILE,
            known.origin,
            known.parity,
            calibrator,
            files,
        )

    settings = {"name": recipe.name, "version": build.version}
    teachers = {teacher.path: data / teacher.path for teacher in student.teachers}
    return Step(
        "calibrate",
        settings | recipe.calibrate.model_dump(mode="json"),
        {"export": source, **teachers, **_judged_files(data, "val")},
        make,
    )


def _recognise(build: Build) -> Step:
    """Fit what the network cannot read, and the limits, into the manifest."""
    data, settings, source = build.data, build.recipe.recognisability, build.run / "calibrate"

    def make(folder: Path) -> None:
        copy_made(source, folder)
        fit_recognisability(folder, data, settings, cache=build.cache)

    shown = ("fairface-0.tar", "fairface-1.tar", "fairface.csv", "masks.tar")
    files = {name: data / name for name in shown} | _judged_files(data, "val", "lfw")
    values = settings.model_dump(mode="json")
    return Step("recognisability", values, {"calibrate": source, **files}, make)


def _tell_covers(build: Build, settings: PlainnessRecipe) -> Step:
    """Train what tells covered and altered faces, and put it beside the model."""
    data, source = build.data, build.run / "recognisability"

    def make(folder: Path) -> None:
        copy_made(source, folder)
        fitted = fit_plainness(folder, data, build.run / "rendered", settings, tell=build.tell)
        write_text(folder / PLAINNESS, sheets_markdown(plainness_sheets(fitted)))

    shown = ("fairface-0.tar", "fairface-1.tar", "fairface.csv", "masks.tar")
    files = {name: data / name for name in shown} | _judged_files(data, "val", "lfw")
    values = settings.model_dump(mode="json")
    return Step("plainness", values, {"recognisability": source, **files}, make)


def _evaluate(build: Build) -> Step:
    """Measure the figures of the card."""
    before = "plainness" if build.recipe.plainness else "recognisability"
    data, source = build.data, build.run / before

    def make(folder: Path) -> None:
        copy_made(source, folder)
        threshold = ModelManifest.from_json(read_manifest(folder)).identify.similarity
        embedder = ExportedEmbedder(folder, build.device, build.cache)
        figures = evaluate_embedder(embedder, data, threshold)
        write_text(folder / FIGURES, figures.model_dump_json(indent=1) + "\n")

    files = _judged_files(data, "val", "lfw") | {"lfw-pairs.txt": data / "lfw-pairs.txt"}
    return Step("evaluate", {}, {before: source, **files}, make)


def _with_card(build: Build, made: Path) -> Path:
    """Return a folder of the whole model: what the steps made, the build and the card."""
    whole = build.run / "model"
    with folder_made_whole(whole, replace=True) as partial:
        copy_made(made, partial)
        document = {**read_manifest(partial), "build": build.origin.model_dump(mode="json")}
        ModelManifest.from_json(document)
        write_text(partial / MANIFEST, json.dumps(document, indent=1) + "\n")
        write_text(partial / CARD, card_of(partial, called=build.target))
    return whole


def _publish(build: Build, whole: Path) -> Path:
    """Put the model in its version's place, unless it is there already.

    A card may tell more than the build knows (a proof, another model beside it): where all else is
    the same, everything stays. Raises ``FileExistsError`` where another model is there.
    """
    target = build.target
    if target.exists() and not build.force:
        made = {name: found for name, found in made_files(whole).items() if name != CARD}
        there = made_files(target)
        other = sorted(name for name, found in made.items() if there.get(name) != found)
        if other:
            raise FileExistsError(
                f"{target} exists and differs in {', '.join(other)}; what was built is in {whole}, "
                "and --force puts it there"
            )
        build.tell(f"unchanged: {target}")
        return target
    with folder_made_whole(target, replace=build.force) as partial:
        copy_made(whole, partial)
    build.tell(f"written: {target}")
    return target


def _refuse_another(build: Build) -> None:
    """Raise ``FileExistsError`` where the version is there and was made otherwise."""
    if build.force or not build.target.exists():
        return
    try:
        found = BuildOrigin.model_validate(read_manifest(build.target).get("build"))
    except ValueError as error:  # a folder of something else, or of an older build
        raise FileExistsError(
            f"{build.target} exists and was not made by a build; name another version, or replace "
            "it with --force"
        ) from error
    if found != build.origin:
        raise FileExistsError(
            f"{build.target} exists and was built by another recipe or from another start; name "
            "another version, or replace it with --force"
        )


def _training_files(recipe: Recipe, data: Path) -> dict[str, Path]:
    """Return the files that a student learns from, by the names that its recipe gives them."""
    files: dict[str, Path] = {}
    for source in recipe.sources:
        files |= {path: found_shard(data / path) for path in source.paths}
        if source.attributes:
            files[source.attributes] = data / source.attributes
    files |= {teacher.path: data / teacher.path for teacher in recipe.teachers}
    if isinstance(recipe.student, MobileRecipe):
        files[recipe.student.start] = data / recipe.student.start
    return files


def _judged_files(data: Path, *people: str) -> dict[str, Path]:
    """Return where these people and the strangers lie."""
    found = {name: people_archive(data, name) for name in (*people, "strangers")}
    return {**found, "strangers.csv": data / "strangers.csv"}
