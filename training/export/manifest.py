"""Writes the manifest that ``app.domain.model_manifest`` reads, with what the card tells beside."""

from __future__ import annotations

from pathlib import Path

import torch

from app.domain.alignment import ARCFACE_TEMPLATE_ID
from app.domain.golden import golden_input
from app.domain.model_manifest import SCHEMA, ModelManifest
from training.calibration.results import MANIFEST_KEYS, Calibration
from training.export.origin import Origin
from training.export.parity import FACE_SIZE, Parity
from training.export.provenance import DataFile
from training.foundation.files import file_hash
from training.foundation.versions import library_versions
from training.networks.served import load_module

MODEL_FILE, ONNX_FILE = "embedder.pt", "embedder.onnx"
FORMATS = {MODEL_FILE: "torchscript", ONNX_FILE: "onnx"}
GOLDEN_MIN_SIMILARITY = 0.999


def golden_embedding(path: Path) -> list[float]:
    """Return what the exported file, loaded as the service loads it, says of the golden input."""
    module = load_module(path, torch.device("cpu"))
    with torch.inference_mode():
        answer = module(torch.from_numpy(golden_input(FACE_SIZE)))[0]
    return [round(float(value), 7) for value in answer]


def manifest_document(
    name: str,
    version: str,
    path: Path,
    origin: Origin,
    parity: Parity,
    calibration: Calibration,
    data: tuple[DataFile, ...],
) -> dict[str, object]:
    """Return the manifest of the exported file at ``path``; it has been read back once.

    Raises ``ModelArtifactError`` where the service would refuse it.
    """
    golden = golden_embedding(path)
    document: dict[str, object] = {
        "schema": SCHEMA,
        "name": name,
        "version": version,
        "format": FORMATS[path.name],
        "file": path.name,
        "sha256": file_hash(path),
        "input": {
            "size": FACE_SIZE,
            "type": "uint8",
            "layout": "N, 3, H, W; RGB; scaling and unit norm are inside the model",
        },
        "embedding_dim": len(golden),
        "alignment": ARCFACE_TEMPLATE_ID,
        **calibration_keys(calibration),
        "golden": {"embedding": golden, "min_similarity": GOLDEN_MIN_SIMILARITY},
        "parity": parity.model_dump(mode="json"),
        "origin": origin.model_dump(mode="json"),
        "data": [file.model_dump(mode="json") for file in data],
        "libraries": library_versions(),
    }
    ModelManifest.from_json(document)
    return document


def calibration_keys(calibration: Calibration) -> dict[str, object]:
    """Return the keys that a manifest takes from a calibration; the evidence in one of its own."""
    document: dict[str, object] = calibration.model_dump(mode="json")
    required = {key: document.pop(key) for key in MANIFEST_KEYS}
    return {**required, "calibration_evidence": document}
