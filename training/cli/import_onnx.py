"""``python -m training import-onnx`` and ``python -m training import-sface``."""

from __future__ import annotations

import re
import shlex
from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer

from app.vision.weights import WHEEL, file_in_wheel
from training.calibration.own_calibration import own_calibrator
from training.calibration.own_people import OwnSources
from training.calibration.people import file_calibrator
from training.cli.options import DEFAULT_DATA, DataOption
from training.cli.own_people import (
    MEGABYTE,
    OWN_MODELS,
    AlignOption,
    GroupsOption,
    LicenceOption,
    MegabytesOption,
    PeopleOption,
    StrangersOption,
    read_own_people,
)
from training.export.foreign import OnnxImport, import_network
from training.export.licences import licence_of
from training.export.package import MAX_OWN_BYTES, Calibrator
from training.export.parity import parity_faces
from training.export.provenance import DataFile, calibration_files
from training.foundation.arrays import ByteImage
from training.foundation.device import choose_device
from training.foundation.errors import DataError, ForeignNetworkError
from training.foundation.files import file_sha256, refuse_existing
from training.networks.published.onnx_embedder import Preprocess
from training.networks.published.sface import FILE, SHA256
from training.recipes.build_recipe import SHIPPED, load_build_recipe
from training.recipes.recipe import load_recipe

OutOption = Annotated[Path, typer.Option(help="Folder to write the model's folder in.")]
ReplaceOption = Annotated[bool, typer.Option(help="Replace a folder that exists.")]


def import_onnx(
    file: Annotated[Path, typer.Argument(help="An ONNX network of aligned 112 px faces.")],
    preprocess: Annotated[
        Preprocess, typer.Option(help="How it wants its pixels; arcface as insightface reads it.")
    ],
    bgr: Annotated[bool, typer.Option("--bgr", help="It wants blue first.")] = False,
    output: Annotated[
        str | None, typer.Option(help="The embedding's name, where it has several outputs.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="The model's name; the file's if none.")] = None,
    version: Annotated[str, typer.Option(help="The model's version.")] = "1",
    out: OutOption = OWN_MODELS,
    data: DataOption = DEFAULT_DATA,
    people: PeopleOption = None,
    strangers: StrangersOption = None,
    groups: GroupsOption = None,
    align: AlignOption = False,
    licence: LicenceOption = None,
    max_megabytes: MegabytesOption = None,
    replace: ReplaceOption = False,
) -> None:
    """Turn an ArcFace-shaped ONNX network into a calibrated model folder for the service.

    It is calibrated on people of your own (--people, --strangers), or on those of the training
    data where these are at hand.
    """
    called = name or re.sub(r"[^a-z0-9]+", "-", file.stem.lower()).strip("-")
    channels = " --bgr" if bgr else ""
    chosen = "" if output is None else f" --output {shlex.quote(output)}"
    stated = "" if licence is None else f" --licence {shlex.quote(licence)}"
    wanted = OnnxImport(
        path=file,
        preprocess=preprocess,
        bgr=bgr,
        output=output,
        licence=licence,
        source=None,
        command=f"python -m training import-onnx {file.name} --preprocess {preprocess.value}"
        f"{channels}{chosen} --people PEOPLE --strangers STRANGERS{stated}",
    )
    if not file.is_file():
        raise ForeignNetworkError(f"{file} does not exist")
    refuse_existing(out / f"{called}-{version}", replace=replace)
    faces, calibrator, files = _whom(people, strangers, groups, data, align=align)
    limit = MAX_OWN_BYTES if max_megabytes is None else max_megabytes * MEGABYTE
    _write(wanted, out / f"{called}-{version}", called, faces, calibrator, files, replace, limit)
    if licence is None:
        typer.echo("no --licence was stated, and the card says so", err=True)


def import_sface(
    out: OutOption = OWN_MODELS,
    data: DataOption = DEFAULT_DATA,
    people: PeopleOption = None,
    strangers: StrangersOption = None,
    groups: GroupsOption = None,
    align: AlignOption = False,
    replace: ReplaceOption = False,
) -> None:
    """Turn SFace from the detector's wheel into a calibrated model folder for the service."""
    path = file_in_wheel(FILE)
    if (digest := file_sha256(path)) != SHA256:
        raise ForeignNetworkError(f"{FILE} has the SHA-256 {digest}, expected was {SHA256}")
    version = metadata.version(WHEEL)
    wanted = OnnxImport(
        path=path,
        preprocess=Preprocess.BYTES,
        bgr=False,
        output=None,
        licence=licence_of("sface"),
        source=f"the wheel `{WHEEL} {version}`",
        command=f"python -m training import-sface --out {out.as_posix()}",
    )
    folder = out / f"sface-{version}"
    refuse_existing(folder, replace=replace)
    faces, calibrator, files = _whom(people, strangers, groups, data, align=align)
    _write(wanted, folder, "sface", faces, calibrator, files, replace, MAX_OWN_BYTES)


def _whom(
    people: str | None, strangers: str | None, groups: Path | None, data: Path, *, align: bool
) -> tuple[ByteImage, Calibrator, tuple[DataFile, ...]]:
    """Return crops for parity, what calibrates, and the files that it calibrates on."""
    settings = load_build_recipe(SHIPPED).calibrate
    if people is not None:
        crops, files = read_own_people(OwnSources(people, strangers, groups, align))
        return crops.people.faces, own_calibrator(crops, settings), files
    files = calibration_files(data)
    if any(one.sha256 is None for one in files):
        raise DataError(
            f"{data} holds no people to calibrate on: --people names a folder of identities of "
            "your own, or lfw:PATH, and --strangers others"
        )
    recipe = load_recipe("all")  # whose teachers find strangers who are one person twice
    return parity_faces(data), file_calibrator(data, recipe, choose_device("cpu"), settings), files


def _write(
    wanted: OnnxImport,
    folder: Path,
    name: str,
    faces: ByteImage,
    calibrator: Calibrator,
    files: tuple[DataFile, ...],
    replace: bool,
    max_bytes: int,
) -> None:
    parity = import_network(
        wanted, folder, name, faces, calibrator, files, replace=replace, max_bytes=max_bytes
    )
    typer.echo(f"parity: {parity}")
    typer.echo(f"written: {folder}; serve with FACEGATE_MODEL_DIR={folder.as_posix()}")
