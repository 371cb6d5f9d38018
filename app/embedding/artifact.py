"""Opens a model folder and refuses what is not exactly what its manifest says."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from app.domain.alignment import ARCFACE_TEMPLATE_ID, FACE_CROP_SIZE
from app.domain.errors import ModelArtifactError
from app.domain.model_manifest import ModelManifest


@dataclass(frozen=True)
class ModelArtifact:
    """A model file whose hash matched, with its manifest."""

    path: Path
    manifest: ModelManifest


def open_artifact(folder: Path) -> ModelArtifact:
    """Read ``folder/manifest.json`` and check the model file's SHA-256.

    Raises ``ModelArtifactError`` where a file is missing, the hash differs, or the model wants
    another alignment or input than this service makes.
    """
    try:
        document = json.loads((folder / "manifest.json").read_text())
    except (OSError, ValueError) as error:
        raise ModelArtifactError(f"{folder} holds no readable manifest.json: {error}") from error
    if not isinstance(document, dict):
        raise ModelArtifactError(f"{folder / 'manifest.json'} is not a JSON object")
    manifest = ModelManifest.from_json(document)
    if manifest.alignment != ARCFACE_TEMPLATE_ID or manifest.input_size != FACE_CROP_SIZE:
        raise ModelArtifactError(
            f"the model wants {manifest.alignment} crops of {manifest.input_size} px, "
            f"this service makes {ARCFACE_TEMPLATE_ID} crops of {FACE_CROP_SIZE} px"
        )
    path = folder / manifest.file
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise ModelArtifactError(f"the model file cannot be read: {error}") from error
    if digest != manifest.sha256:
        raise ModelArtifactError(f"{path.name} is not the file of its manifest: SHA-256 differs")
    return ModelArtifact(path, manifest)
