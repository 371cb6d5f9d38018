"""``python -m training export`` and ``python -m training card``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from training.calibration.own_calibration import own_calibrator
from training.calibration.own_people import OwnSources
from training.calibration.people import file_calibrator
from training.cli.options import DEFAULT_DATA, BuildOption, DataOption
from training.cli.own_people import (
    MEGABYTE,
    OWN_MODELS,
    AlignOption,
    GroupsOption,
    LeaveOutOption,
    LicenceOption,
    MegabytesOption,
    PeopleOption,
    StrangersOption,
    read_own_people,
)
from training.engines.learned_network import is_learned, metric_checkpoint
from training.evaluation.served import MODELS
from training.export.learned import LearnedRun, export_learned, read_run
from training.export.package import (
    MAX_BYTES,
    MAX_OWN_BYTES,
    ExportError,
    card_of,
    export_model,
    keep_beside,
    keep_proof,
    keep_rebuilt,
    read_training,
)
from training.export.parity import Parity, parity_faces
from training.export.provenance import data_files
from training.foundation.device import choose_device
from training.foundation.errors import DataError
from training.foundation.files import refuse_existing, write_text
from training.recipes.build_recipe import SHIPPED, load_build_recipe


def export(
    checkpoint: Annotated[
        Path, typer.Option(help="A training run's checkpoint.pt, or the folder of a learn run.")
    ],
    version: Annotated[str, typer.Option(help="The folder's name below --out, as 1.0.0.")],
    data: DataOption = DEFAULT_DATA,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder of the versions; data/models for a learn run, else ours."),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="The model's name; the recipe's for a learn run.")
    ] = None,
    people: PeopleOption = None,
    strangers: StrangersOption = None,
    groups: GroupsOption = None,
    align: AlignOption = False,
    leave_out_learned: LeaveOutOption = False,
    licence: LicenceOption = None,
    max_megabytes: MegabytesOption = None,
    replace: Annotated[bool, typer.Option(help="Replace a folder that exists.")] = False,
    build: BuildOption = SHIPPED,
    device: Annotated[str | None, typer.Option(help="cpu or cuda; for the calibration.")] = None,
) -> None:
    """Write a model folder: module, parity, calibration, thresholds, manifest and card.

    Of a run of learn, calibrated on people of your own (--people, --strangers); or of a
    distillation, calibrated on the people of the training data.
    """
    found = metric_checkpoint(checkpoint)
    if found is None:
        raise ExportError(f"{checkpoint} holds no network that training learn made")
    limit = None if max_megabytes is None else max_megabytes * MEGABYTE
    if is_learned(found):
        target = (out or OWN_MODELS) / version
        refuse_existing(target, replace=replace)
        if people is None:
            raise DataError(
                "a learn run is calibrated on people of your own: --people names a folder of "
                "identities, or lfw:PATH, and --strangers others"
            )
        sources = OwnSources(people, strangers, groups, align, leave_out_learned)
        run = read_run(found, data, licence)
        _export_learned(run, target, name, sources, build, replace=replace, max_bytes=limit)
        return
    if people is not None or licence is not None:
        raise DataError(
            "--people and --licence are for a run of learn; a distillation is calibrated on "
            "its data, and calibrate --people calibrates what was exported anew"
        )
    target = (out or MODELS) / version
    _export_distilled(
        found, target, name or "facegate", data, build, device, replace=replace, max_bytes=limit
    )


def _export_learned(
    run: LearnedRun,
    target: Path,
    name: str | None,
    sources: OwnSources,
    build: str,
    *,
    replace: bool,
    max_bytes: int | None,
) -> None:
    recipe = run.learned.recipe
    crops, files = read_own_people(sources, (run.people, recipe.data.transform))
    parity = export_learned(
        run,
        target,
        name or recipe.name,
        crops.people.faces,
        own_calibrator(crops, load_build_recipe(build).calibrate),
        files,
        replace=replace,
        max_bytes=max_bytes or MAX_OWN_BYTES,
    )
    _tell(parity, target)
    if run.origin.licence is None:
        typer.echo("no --licence was stated, and the card says so", err=True)
    typer.echo(f"serve with FACEGATE_MODEL_DIR={target.as_posix()}")


def _export_distilled(
    checkpoint: Path,
    target: Path,
    name: str,
    data: Path,
    build: str,
    device: str | None,
    *,
    replace: bool,
    max_bytes: int | None,
) -> None:
    chosen = choose_device(device)
    _, training = read_training(checkpoint)
    parity = export_model(
        checkpoint,
        target,
        name,
        parity_faces(data),
        file_calibrator(data, training.recipe, chosen, load_build_recipe(build).calibrate),
        lambda recipe: data_files(recipe, data),
        replace=replace,
        max_bytes=max_bytes or MAX_BYTES,
    )
    _tell(parity, target)


def _tell(parity: Parity, target: Path) -> None:
    typer.echo(f"parity: {parity}")
    typer.echo(f"written: {target}")


def card(
    model: Annotated[Path, typer.Option(help="An exported model's folder.")],
    beside: Annotated[
        Path | None, typer.Option(help="Another model's folder, evaluated, to compare with.")
    ] = None,
    proof: Annotated[
        Path | None, typer.Option(help="What `study proof` wrote of this model, to be kept.")
    ] = None,
    rebuilt: Annotated[
        Path | None, typer.Option(help="What `study rebuilt` wrote of this model, to be kept.")
    ] = None,
) -> None:
    """Write the model's card from what its folder holds: figures, rivals, kept promises."""
    if proof is not None:
        keep_proof(model, proof)
    if rebuilt is not None:
        keep_rebuilt(model, rebuilt)
    if beside is not None:
        keep_beside(model, beside)
    write_text(model / "README.md", card_of(model))
    typer.echo(f"written: {model / 'README.md'}")
