"""From a checkpoint to a model folder that the service loads: module, proof, calibration, card."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from training.calibration.results import Calibration
from training.engines.interpolation import TRAINED_SHARE
from training.evaluation.results import Evaluation
from training.export.card import model_card
from training.export.manifest import MODEL_FILE, manifest_document
from training.export.origin import Origin
from training.export.parity import Parity, measure_parity
from training.export.provenance import DataFile
from training.export.trained_origin import EarlierRun, TrainedOrigin
from training.foundation.arrays import ByteImage
from training.foundation.checkpoints import evaluation_weights, load_checkpoint, take_weights
from training.foundation.errors import CheckpointError
from training.foundation.files import file_hash, folder_made_whole, write_text
from training.networks.served import save_module
from training.networks.students import make_student
from training.recipes.recipe import Recipe
from training.recipes.run_recipe import recipe_in

#: A model that ships lies in this repository, whose every clone carries every version of it.
MAX_BYTES = 16_000_000
#: Every process of the service reads its model whole when it starts, and keeps it in memory.
MAX_OWN_BYTES = 512_000_000


BESIDE, PROOF, RECOGNISABILITY = "beside.json", "proof.md", "recognisability.md"
REBUILT = "rebuilt.md"
PLAINNESS = "plainness.md"
BESIDE_THE_PROOF = ("enrollment.md", "quality-limits.md", "burst.md")


class ExportError(CheckpointError):
    """A checkpoint cannot become a model that the service may trust."""


#: Calibrates the model whose file is at the path, called by the name.
Calibrator = Callable[[Path, str], Calibration]


def read_training(checkpoint: Path) -> tuple[nn.Module, TrainedOrigin]:
    """Return the student of a checkpoint, ready to run, and what its run was.

    Of a run with a moving average that is the student.
    """
    state = load_checkpoint(checkpoint, torch.device("cpu"))
    recipe = recipe_in(state, Recipe, checkpoint)
    student = make_student(recipe.student)
    take_weights(student, evaluation_weights(state), checkpoint)
    origin = TrainedOrigin(
        recipe=recipe,
        steps=int(state.get("step_number", 0)),
        hours=round(float(state.get("elapsed_seconds", 0.0)) / 3600, 3),
        trained_share=float(state.get(TRAINED_SHARE, 1.0)),
        earlier_runs=tuple(EarlierRun.model_validate(run) for run in state.get("earlier_runs", ())),
    )
    return student.eval(), origin


def write_module(
    network: nn.Module, path: Path, faces: ByteImage, max_bytes: int = MAX_BYTES
) -> Parity:
    """Write the exported file with fp16 weights, or fp32 where fp16 would be heard.

    Raises ``ExportError`` where the file disagrees with the network even so, or is too large.
    """
    parity: Parity | None = None
    for half in (True, False):
        save_module(network, path, half=half)
        parity = measure_parity(network, path, faces, "float16" if half else "float32")
        if parity.holds:
            break
    if parity is None or not parity.holds:
        raise ExportError(f"the exported model disagrees with the trained one: {parity}")
    require_size(path, max_bytes)
    return parity


def require_size(path: Path, max_bytes: int) -> None:
    """Raise ``ExportError`` where a model's file is larger than was allowed."""
    size = path.stat().st_size
    if size > max_bytes:
        raise ExportError(
            f"the model has {size:,} bytes, more than {max_bytes:,}: what ships lies in the "
            "repository, and each process of the service holds its model in memory; "
            "--max-megabytes allows more"
        )


def export_model(
    checkpoint: Path,
    folder: Path,
    name: str,
    faces: ByteImage,
    calibrator: Calibrator,
    data: Callable[[Recipe], tuple[DataFile, ...]],
    *,
    replace: bool,
    max_bytes: int = MAX_BYTES,
) -> Parity:
    """Write ``folder`` (named by the version) whole: embedder.pt, manifest.json, README.md.

    Raises ``ExportError`` or ``ModelArtifactError`` where the model may not ship, and
    ``FileExistsError`` where the folder exists and ``replace`` does not allow it.
    """
    student, origin = read_training(checkpoint)
    return write_model(
        student,
        origin,
        folder,
        name,
        faces,
        calibrator,
        data(origin.recipe),
        replace=replace,
        max_bytes=max_bytes,
    )


def write_model(
    network: nn.Module,
    origin: Origin,
    folder: Path,
    name: str,
    faces: ByteImage,
    calibrator: Calibrator,
    data: tuple[DataFile, ...],
    *,
    replace: bool,
    max_bytes: int = MAX_BYTES,
    beside: Callable[[Path], None] | None = None,
) -> Parity:
    """Write ``folder`` whole from a network of RGB crops in 0..255; as ``export_model`` else.

    ``beside`` writes further files into the folder that it is given.
    """

    def write(partial: Path) -> tuple[Path, Parity]:
        path = partial / MODEL_FILE
        if beside is not None:
            beside(partial)
        return path, write_module(network, path, faces, max_bytes)

    return write_folder(write, origin, folder, name, calibrator, data, replace=replace)


def write_folder(
    write: Callable[[Path], tuple[Path, Parity]],
    origin: Origin,
    folder: Path,
    name: str,
    calibrator: Calibrator,
    data: tuple[DataFile, ...],
    *,
    replace: bool,
) -> Parity:
    """Write ``folder`` whole: what ``write`` makes of a model's file, manifest and card.

    ``write`` is given the folder and returns the file with its parity. Raises ``ExportError`` where
    the calibration is of another file, and whatever ``write`` raises.
    """
    version = folder.name
    with folder_made_whole(folder, replace=replace) as partial:
        path, parity = write(partial)
        document = write_manifest(partial, name, version, path, origin, parity, calibrator, data)
        (partial / "README.md").write_text(
            model_card(document, None, shown(folder)), encoding="utf-8"
        )
    return parity


def write_manifest(
    folder: Path,
    name: str,
    version: str,
    path: Path,
    origin: Origin,
    parity: Parity,
    calibrator: Calibrator,
    data: tuple[DataFile, ...],
) -> dict[str, object]:
    """Calibrate the model's file at ``path`` and write the manifest, which is returned.

    Raises ``ExportError`` where the calibration is of another file.
    """
    calibration = calibrator(path, f"{name}-{version}")
    if calibration.sha256 != file_hash(path):
        raise ExportError("the calibration was made with another model file")
    document = manifest_document(name, version, path, origin, parity, calibration, data)
    (folder / "manifest.json").write_text(json.dumps(document, indent=1) + "\n")
    return document


def shown(folder: Path) -> str:
    """Return the folder's name for a card: below the working folder, without the machine's part."""
    try:
        return folder.resolve().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return folder.as_posix()


def keep_beside(folder: Path, other: Path) -> None:
    """Keep the figures of the model in ``other`` beside those of the one in ``folder``.

    Raises ``ExportError`` where it was not evaluated.
    """
    try:
        evaluation = Evaluation.model_validate_json((other / "evaluation.json").read_text())
    except (OSError, ValueError) as error:
        raise ExportError(f"{other} has no figures to compare with: {error}") from error
    write_text(folder / BESIDE, evaluation.model_dump_json(indent=1) + "\n")


def keep_proof(folder: Path, proof: Path) -> None:
    """Keep the tables of ``training study proof`` with the model in ``folder``.

    Those of guards, quality limits and bursts (``make prove`` writes all into one folder) follow,
    where they lie beside it. Raises ``ExportError`` where there are no tables, or of another model.
    """
    try:
        tables, record = proof.read_text(), json.loads(proof.with_suffix(".json").read_text())
        manifest = json.loads((folder / "manifest.json").read_text())
        of, this = record["sha256"], manifest["sha256"]
    except (OSError, ValueError, KeyError) as error:
        raise ExportError(f"{proof} holds no proof of a model: {error!r}") from error
    if of != this:
        raise ExportError(f"{proof} is of another model; prove this one first")
    others = (proof.with_name(name) for name in BESIDE_THE_PROOF)
    write_text(folder / PROOF, "\n".join([tables, *(o.read_text() for o in others if o.is_file())]))


def keep_rebuilt(folder: Path, tables: Path) -> None:
    """Keep the tables of ``training study rebuilt`` with the model in ``folder``.

    Raises ``ExportError`` where there are none, or of another model.
    """
    try:
        text, record = tables.read_text(), json.loads(tables.with_suffix(".json").read_text())
        of = record["old_sha256"]
        this = json.loads((folder / "manifest.json").read_text())["sha256"]
    except (OSError, ValueError, KeyError) as error:
        raise ExportError(f"{tables} compares no model with one built again: {error!r}") from error
    if of != this:
        raise ExportError(f"{tables} is of another model; compare this one first")
    write_text(folder / REBUILT, text)


def card_of(folder: Path, called: Path | None = None) -> str:
    """Return the card of an exported model, with its figures where evaluation.json holds them.

    Where ``beside.json`` holds another model's figures, both are compared; where ``proof.md`` holds
    the tables of ``training study proof``, they are part of it; so are those of recognisability
    and plainness, and of ``training study rebuilt``. ``called`` is what commands call the folder,
    where it will lie elsewhere. Raises ``ExportError`` where a file is missing or the figures are
    of another model.
    """
    try:
        document = json.loads((folder / "manifest.json").read_text())
        figures = folder / "evaluation.json"
        evaluation, beside = (
            Evaluation.model_validate_json(path.read_text()) if path.is_file() else None
            for path in (figures, folder / BESIDE)
        )
    except (OSError, ValueError) as error:
        raise ExportError(f"{folder} holds no model to describe: {error}") from error
    if evaluation is not None and evaluation.sha256 != document.get("sha256"):
        raise ExportError(f"{figures} is of another model; evaluate this one first")
    proof, recognisability, rebuilt, plainness = (
        (folder / name).read_text() if (folder / name).is_file() else None
        for name in (PROOF, RECOGNISABILITY, REBUILT, PLAINNESS)
    )
    if "recognisability" not in document:
        recognisability = None  # of an export before this one
    if "plainness" not in document:
        plainness = None
    return model_card(
        document,
        evaluation,
        shown(called or folder),
        beside,
        proof,
        recognisability,
        rebuilt,
        plainness,
    )
