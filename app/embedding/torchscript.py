"""The TorchScript runtime: one thread an inference, many inferences side by side."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from app.domain.embeddings import Embedding, as_embedding
from app.domain.errors import ModelArtifactError
from app.domain.golden import golden_input
from app.domain.model_manifest import ModelManifest
from app.embedding.artifact import ModelArtifact, open_artifact


def limit_torch_threads(threads: int) -> None:
    """Set how many threads one operation of torch uses. Call once, before any inference."""
    torch.set_num_threads(threads)


class TorchScriptEmbedder:
    """An embedder loaded from a model folder; ``embed`` may be called from several threads."""

    def __init__(self, artifact: ModelArtifact) -> None:
        """Load, freeze and try the model; raises ``ModelArtifactError`` where it misbehaves."""
        self._manifest = artifact.manifest
        if artifact.manifest.format != "torchscript":
            raise ModelArtifactError(f"format {artifact.manifest.format!r} is not 'torchscript'")
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", ".*torch.jit.*", DeprecationWarning)
                module = torch.jit.load(str(artifact.path), map_location="cpu").float().eval()
                self._module = torch.jit.freeze(module)
        except (RuntimeError, ValueError) as error:
            raise ModelArtifactError(f"{artifact.path.name} does not load: {error}") from error
        self._require_golden()

    @property
    def manifest(self) -> ModelManifest:
        """What the loaded model is, with its thresholds and calibration."""
        return self._manifest

    def embed(self, crops: npt.NDArray[np.uint8]) -> list[Embedding]:
        """Return an embedding for each crop of ``(N, 3, 112, 112)`` RGB uint8.

        Raises ``ValueError`` for another shape or type, and ``ModelArtifactError`` where the model
        gives something that is not an embedding.
        """
        size = self._manifest.input_size
        if crops.dtype != np.uint8 or crops.ndim != 4 or crops.shape[1:] != (3, size, size):
            raise ValueError(f"crops must be uint8 (N, 3, {size}, {size}), not {crops.shape}")
        if len(crops) == 0:
            return []
        with torch.inference_mode():
            output = self._module(torch.from_numpy(np.ascontiguousarray(crops))).numpy()
        expected = (len(crops), self._manifest.embedding_dim)
        if output.shape != expected:
            raise ModelArtifactError(f"the model gave {output.shape} instead of {expected}")
        try:
            return [as_embedding(row) for row in output]
        except ValueError as error:
            raise ModelArtifactError(f"the model's output is no embedding: {error}") from error

    def _require_golden(self) -> None:
        """Compare the model's answer to the golden input with the one of its export."""
        expected = np.asarray(self._manifest.golden_embedding, dtype=np.float64)
        if expected.shape != (self._manifest.embedding_dim,):
            raise ModelArtifactError("the manifest's golden embedding has another size")
        (answer,) = self.embed(golden_input(self._manifest.input_size))
        cosine = float(answer @ expected / np.linalg.norm(expected))
        if not cosine >= self._manifest.golden_min_similarity:
            raise ModelArtifactError(
                f"the model answers the golden input with similarity {cosine:.5f}, "
                f"{self._manifest.golden_min_similarity:.5f} is required"
            )


def load_embedder(folder: Path) -> TorchScriptEmbedder:
    """Open a model folder and return its embedder, proved on the golden input."""
    return TorchScriptEmbedder(open_artifact(folder))
