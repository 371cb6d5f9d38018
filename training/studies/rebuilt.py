"""What moved where a model was built again: weights, code, embeddings, thresholds, figures."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from app.domain.model_manifest import ModelManifest
from training.data.populations import read_people, read_strangers
from training.engines.starts import exported_state
from training.evaluation.embedders import ExportedEmbedder, read_manifest
from training.evaluation.kept_answers import CACHE
from training.evaluation.results import Evaluation
from training.export.beside import compared_figures
from training.export.manifest import MODEL_FILE
from training.foundation.device import choose_device
from training.foundation.files import file_sha256
from training.foundation.records import Record
from training.foundation.sheets import Sheet

#: Parts of a joint network by the beginning of their weights' names; a lone student is ``other``.
PARTS = {
    "first network": "network.first.",
    "second network": "network.second.",
    "head": "network.head.",
    "centres of crowds": "correction.",
}
OTHER = "other"


class PartMoved(Record):
    """The weights of one part: how many numbers, how many differ, and by how much at most."""

    part: str
    numbers: int
    differing: int
    largest: float


class EmbeddingsMoved(Record):
    """Cosines of what both models say of the same pictures."""

    pictures: str
    count: int
    lowest: float
    thousandth: float
    mean: float


class RebuiltRecord(Record):
    """Two models' names and hashes, and what differs; ``figures`` are name, old, new.

    ``code`` counts files of TorchScript code in either file, and those that only one holds so.
    """

    old: str
    new: str
    old_sha256: str
    new_sha256: str
    code: tuple[int, int]
    parts: tuple[PartMoved, ...]
    embeddings: tuple[EmbeddingsMoved, ...]
    figures: tuple[tuple[str, str, str], ...]


def run(data: Path, model: Path, *, other: Path) -> RebuiltRecord:
    """Compare a model with another that should be the same: the one built again."""
    files = (model / MODEL_FILE, other / MODEL_FILE)
    old, new = (ModelManifest.from_json(read_manifest(folder)) for folder in (model, other))
    return RebuiltRecord(
        old=f"{old.name}-{old.version}",
        new=f"{new.name}-{new.version}",
        old_sha256=file_sha256(files[0]),
        new_sha256=file_sha256(files[1]),
        code=code_moved(*files),
        parts=parts_moved(exported_state(files[0]), exported_state(files[1])),
        embeddings=embeddings_moved(data, model, other),
        figures=(*_thresholds(old, new), *_figures(model, other)),
    )


def code_moved(old: Path, new: Path) -> tuple[int, int]:
    """Return how many files of code two TorchScript files hold, and how many are not in both."""
    first, second = (_code(path) for path in (old, new))
    differing = {
        name for name in first.keys() | second.keys() if first.get(name) != second.get(name)
    }
    return len(first.keys() | second.keys()), len(differing)


def parts_moved(old: Mapping[str, Tensor], new: Mapping[str, Tensor]) -> tuple[PartMoved, ...]:
    """Return for each part what differs; a weight that only one of them has differs wholly."""
    names: dict[str, list[str]] = {}
    for name in sorted(old.keys() | new.keys()):
        part = next((part for part, start in PARTS.items() if name.startswith(start)), OTHER)
        names.setdefault(part, []).append(name)
    return tuple(_part(part, of, old, new) for part, of in names.items())


def embeddings_moved(data: Path, model: Path, other: Path) -> tuple[EmbeddingsMoved, ...]:
    """Return the cosines of both models' embeddings of validation people, strangers and LFW."""
    device = choose_device("cpu")
    old, new = (ExportedEmbedder(folder, device, CACHE) for folder in (model, other))
    shown = {
        "validation people": read_people(data, "val"),
        "strangers": read_strangers(data),
        "LFW": read_people(data, "lfw"),
    }
    moved = []
    for name, crops in shown.items():
        cosines = np.einsum("nd,nd->n", old.embed(crops), new.embed(crops), dtype=np.float64)
        moved.append(
            EmbeddingsMoved(
                pictures=name,
                count=len(crops),
                lowest=float(cosines.min()),
                thousandth=float(np.quantile(cosines, 0.001)),
                mean=float(cosines.mean()),
            )
        )
    return tuple(moved)


def tables(record: RebuiltRecord) -> list[Sheet]:
    """Return what moved, from the bytes of the file to the figures."""
    same = "the same file" if record.old_sha256 == record.new_sha256 else "another file"
    files, differing = record.code
    return [
        Sheet(
            f"{record.new} against {record.old}: {same}; of {files} files of TorchScript code "
            f"{differing} differ",
            ("weights", "numbers", "differ", "by at most"),
            tuple(
                (one.part, f"{one.numbers:,}", f"{one.differing:,}", f"{one.largest:.1e}")
                for one in record.parts
            ),
        ),
        Sheet(
            "Cosines of both models' embeddings of a picture",
            ("pictures", "number", "lowest", "0.1 % are below", "mean"),
            tuple(
                (
                    one.pictures,
                    f"{one.count:,}",
                    f"{one.lowest:.5f}",
                    f"{one.thousandth:.5f}",
                    f"{one.mean:.6f}",
                )
                for one in record.embeddings
            ),
        ),
        Sheet("Thresholds and figures", ("figure", record.old, record.new), record.figures),
    ]


def _part(
    part: str, names: list[str], old: Mapping[str, Tensor], new: Mapping[str, Tensor]
) -> PartMoved:
    numbers = differing = 0
    largest = 0.0
    for name in names:
        first, second = old.get(name), new.get(name)
        if first is None or second is None or first.shape != second.shape:
            given = sum(0 if one is None else one.numel() for one in (first, second))
            numbers, differing, largest = numbers + given, differing + given, float("inf")
            continue
        apart = (first.double() - second.double()).abs()
        numbers += apart.numel()
        differing += int(torch.count_nonzero(apart))
        largest = max(largest, float(apart.max()) if apart.numel() else 0.0)
    return PartMoved(part=part, numbers=numbers, differing=differing, largest=largest)


def _code(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {
            name.partition("/code/")[2]: archive.read(name)
            for name in archive.namelist()
            if "/code/" in name and name.endswith(".py")
        }


def _thresholds(old: ModelManifest, new: ModelManifest) -> list[tuple[str, str, str]]:
    def limits(manifest: ModelManifest) -> list[tuple[str, str]]:
        recognisable = manifest.recognisability
        limits = (
            []
            if recognisable is None
            else [
                ("least recognisability at enrollment", f"{recognisable.min_enrollment:.3f}"),
                ("least recognisability at the door", f"{recognisable.min_verification:.3f}"),
            ]
        )
        return [
            ("identify", f"{manifest.identify.similarity:.4f}"),
            ("verify", f"{manifest.verify.similarity:.4f}"),
            *limits,
        ]

    theirs = dict(limits(new))
    return [(name, value, theirs.get(name, "none")) for name, value in limits(old)]


def _figures(model: Path, other: Path) -> list[tuple[str, str, str]]:
    """Return the evaluations' figures side by side, where both models were evaluated."""
    files = [folder / "evaluation.json" for folder in (model, other)]
    if not all(file.is_file() for file in files):
        return []
    old, new = (Evaluation.model_validate_json(file.read_text()) for file in files)
    return [
        (name, one, two)
        for (name, one), (_, two) in zip(compared_figures(old), compared_figures(new), strict=True)
    ]
