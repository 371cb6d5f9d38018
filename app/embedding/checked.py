"""An embedder around a network of any runtime: what goes in and what comes out is checked here."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from app.domain.embeddings import Embedding, as_embedding
from app.domain.errors import ModelArtifactError
from app.domain.golden import golden_input
from app.domain.model_manifest import ModelManifest
from app.domain.runtime import Runtime


class Network(Protocol):
    """A model that a runtime has loaded. Safe to call from several threads."""

    def __call__(self, inputs: npt.NDArray[np.generic], /) -> npt.NDArray[np.float32]:
        """Return the float32 output for a batch of contiguous inputs."""
        ...


class CheckedEmbedder:
    """An embedder that a manifest describes; ``embed`` may be called from several threads."""

    def __init__(self, manifest: ModelManifest, network: Network, runtime: Runtime) -> None:
        """Try the network, run by ``runtime``; raises ``ModelArtifactError`` if it misbehaves."""
        self._manifest = manifest
        self._network = network
        self._runtime = runtime
        self._require_golden()

    @property
    def manifest(self) -> ModelManifest:
        """What the loaded model is, with its thresholds and calibration."""
        return self._manifest

    @property
    def runtime(self) -> Runtime:
        """What runs the network; never ``AUTO``."""
        return self._runtime

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
        output = self._network(np.ascontiguousarray(crops))
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
