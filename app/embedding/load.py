"""From a model folder and the name of a runtime to an embedder that has proved itself."""

from __future__ import annotations

from pathlib import Path

from app.domain.golden import golden_input
from app.domain.runtime import Runtime
from app.embedding.artifact import open_artifact
from app.embedding.checked import CheckedEmbedder
from app.embedding.openvino import compile_by_openvino
from app.embedding.torchscript import read_module, run_by_torch


def load_embedder(folder: Path, runtime: Runtime, workers: int) -> CheckedEmbedder:
    """Open a model folder and return its embedder, proved on the golden input.

    ``workers`` is how many inferences shall run side by side, one thread each. Raises
    ``ModelArtifactError`` where the folder is not what its manifest says, and
    ``UnsupportedRuntimeError`` where this machine cannot run it so.
    """
    artifact = open_artifact(folder)
    module = read_module(artifact)
    if runtime is Runtime.TORCHSCRIPT:
        return CheckedEmbedder(artifact.manifest, run_by_torch(module))
    network = compile_by_openvino(
        module,
        golden_input(artifact.manifest.input_size),
        bfloat16=runtime is Runtime.OPENVINO_BF16,
        streams=workers,
    )
    return CheckedEmbedder(artifact.manifest, network)
