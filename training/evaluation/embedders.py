"""Whatever can be judged behind one interface: an exported model, a checkpoint, the teachers.

All of them see the plain centre crop once, as the service does: no mean with the mirror image.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, cast

import numpy as np
import torch
import torch.nn.functional as F

from app.domain.runtime import Runtime
from app.embedding.load import load_embedder
from training.augment.geometry import cut_crops
from training.data.crops import CROP_MARGIN, CROP_SIZE, CropSet
from training.engines.embedding import embed_crops
from training.evaluation.kept_answers import kept_answers
from training.foundation.arrays import ByteImage, Matrix
from training.foundation.checkpoints import evaluation_weights, load_checkpoint, take_weights
from training.foundation.device import EMBEDDED_AT_ONCE
from training.foundation.errors import CheckpointError
from training.networks.served import load_module, quiet_torchscript
from training.networks.students import make_student
from training.recipes.recipe import Recipe, load_recipe
from training.recipes.run_recipe import recipe_in
from training.teachers.torchscript import Teacher

FACE_SIZE = CROP_SIZE - 2 * CROP_MARGIN
BATCH = 128
TEACHERS = "teachers"


class CropEmbedder(Protocol):
    """Gives unit embeddings, float32 ``(N, D)``, of a set of crops."""

    @property
    def name(self) -> str:
        """What to call the model in a report."""
        ...

    @property
    def sha256(self) -> str | None:
        """The hash of the model's file, where there is one."""
        ...

    def embed(self, crops: CropSet) -> Matrix:
        """Return unit embeddings, float32 ``(N, D)``."""
        ...


class CheckpointEmbedder:
    """The student inside a training checkpoint, in full precision."""

    def __init__(self, path: Path, device: torch.device) -> None:
        """Load the student, its moving average where there is one.

        Raises ``CheckpointError`` where the file is not a checkpoint.
        """
        state = load_checkpoint(path, device)
        self.recipe = recipe_in(state, Recipe, path)
        self.student = make_student(self.recipe.student).to(device)
        take_weights(self.student, evaluation_weights(state), path)
        self.device = device
        self.name = f"{self.recipe.name} at step {state.get('step_number', 0)}"
        self.sha256: str | None = None

    def embed(self, crops: CropSet) -> Matrix:
        """Return unit embeddings, float32 ``(N, D)``."""
        embeddings: Matrix = embed_crops(self.student, crops, self.device).numpy()
        return embeddings


class ExportedFile:
    """An exported module, fed uint8 as the service feeds it."""

    def __init__(
        self, path: Path, name: str, device: torch.device, cache: Path | None = None
    ) -> None:
        """Load the module; raises ``CheckpointError`` where there is none.

        With ``cache`` what it says of a set of crops is kept there.
        """
        if not path.is_file():
            raise CheckpointError(f"{path} does not exist")
        self.module = load_module(path, device)
        self.device = device
        self.name = name
        self.cache = cache
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        self.sha256: str | None = digest
        self._key = digest

    def embed(self, crops: CropSet) -> Matrix:
        """Return unit embeddings, float32 ``(N, D)``."""
        return kept_answers(
            self.cache, self._key, crops, lambda crops: self.embed_faces(centre_faces(crops))
        )

    @torch.inference_mode()
    def embed_faces(self, faces: ByteImage) -> Matrix:
        """Return unit embeddings ``(N, D)`` of ready RGB crops, uint8 ``(N, 3, 112, 112)``."""
        batches = torch.from_numpy(np.ascontiguousarray(faces)).split(EMBEDDED_AT_ONCE)
        rows = [
            self.module(batch.to(self.device, memory_format=torch.channels_last)).cpu()
            for batch in batches
        ]
        embeddings: Matrix = torch.cat(rows).numpy()
        return embeddings


class ExportedEmbedder(ExportedFile):
    """An exported model folder, named by its manifest."""

    def __init__(self, folder: Path, device: torch.device, cache: Path | None = None) -> None:
        """Load the module; raises ``CheckpointError`` where the folder holds no model."""
        manifest = read_manifest(folder)
        name = f"{manifest['name']}-{manifest['version']}"
        super().__init__(folder / str(manifest["file"]), name, device, cache)


class RuntimeEmbedder:
    """An exported model folder as the service runs it, by one of its runtimes."""

    def __init__(self, folder: Path, runtime: Runtime, cache: Path | None = None) -> None:
        """Load the folder; raises ``ModelArtifactError`` or ``UnsupportedRuntimeError``."""
        self.embedder = load_embedder(folder, runtime, workers=1)
        manifest = self.embedder.manifest
        self.name = f"{manifest.model_version} by {self.embedder.runtime}"
        self.sha256: str | None = manifest.sha256
        self.cache = cache

    def embed(self, crops: CropSet) -> Matrix:
        """Return unit embeddings, float32 ``(N, D)``."""
        key = f"{self.sha256} by {self.embedder.runtime}"
        return kept_answers(self.cache, key, crops, self._in_batches)

    def _in_batches(self, crops: CropSet) -> Matrix:
        faces = centre_faces(crops)
        starts = range(0, len(faces), EMBEDDED_AT_ONCE)
        rows = [np.stack(self.embedder.embed(faces[i : i + EMBEDDED_AT_ONCE])) for i in starts]
        embeddings: Matrix = np.concatenate(rows)
        return embeddings


class TeachersEmbedder:
    """All teachers of a recipe together: the cosine is the mean of theirs. For reference.

    The teachers are slow, so that their answers are kept in ``cache``.
    """

    def __init__(self, recipe: Recipe, root: Path, cache: Path, device: torch.device) -> None:
        """Load the teachers; raises what ``Teacher`` raises."""
        self.teachers = [Teacher(teacher, root, device) for teacher in recipe.teachers]
        self.name = " + ".join(teacher.name for teacher in recipe.teachers)
        self.sha256: str | None = None
        self.cache = cache
        self.device = device

    def embed(self, crops: CropSet) -> Matrix:
        """Return unit embeddings, float32 ``(N, sum of D)``."""
        identity = " + ".join(teacher.identity for teacher in self.teachers)
        return kept_answers(self.cache, identity, crops, self._concatenated)

    def _concatenated(self, crops: CropSet) -> Matrix:
        rows = []
        for start in range(0, len(crops), BATCH):
            stored = crops.images[start : start + BATCH].to(self.device).float()
            views = [t(stored, CROP_SIZE, CROP_MARGIN / FACE_SIZE) for t in self.teachers]
            rows.append(F.normalize(torch.cat(views, dim=1), dim=1).cpu())
        embeddings: Matrix = torch.cat(rows).numpy()
        return embeddings


def centre_faces(crops: CropSet) -> ByteImage:
    """Return the plain centre of stored crops, uint8 ``(N, 3, 112, 112)``."""
    parts = [
        cut_crops(images.float(), FACE_SIZE, None, None).round().clamp(0, 255).to(torch.uint8)
        for images in crops.images.split(BATCH)
    ]
    faces: ByteImage = torch.cat(parts).numpy()
    return faces


def read_manifest(folder: Path) -> Mapping[str, object]:
    """Return an exported model's manifest as it stands; raises ``CheckpointError`` for none."""
    path = folder / "manifest.json"
    try:
        document = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}") from error
    if not isinstance(document, dict):
        raise CheckpointError(f"{path} is not a JSON object")
    return cast(Mapping[str, object], document)


def open_embedder(
    model: str, root: Path, recipe: str, cache: Path, device: torch.device
) -> CropEmbedder:
    """Return what ``model`` names: an exported folder, a checkpoint file, or ``teachers``."""
    if model == TEACHERS:
        return TeachersEmbedder(load_recipe(recipe), root, cache, device)
    path = Path(model)
    if path.is_dir():
        return ExportedEmbedder(path, device, cache)
    return CheckpointEmbedder(path, device)


def read_exported(folder: Path) -> torch.jit.ScriptModule:
    """Return an exported model's module; raises ``CheckpointError`` where the folder has none."""
    path = folder / str(read_manifest(folder)["file"])
    with quiet_torchscript():
        module: torch.jit.ScriptModule = torch.jit.load(str(path), map_location="cpu")
    return module.float().eval()
