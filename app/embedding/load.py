"""From a model folder and the name of a runtime to an embedder that has proved itself."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from pathlib import Path

import torch

from app.domain.errors import ModelArtifactError
from app.domain.golden import golden_input
from app.domain.model_manifest import ModelManifest
from app.domain.runtime import Runtime
from app.embedding.artifact import open_artifact
from app.embedding.checked import CheckedEmbedder
from app.embedding.openvino import BFLOAT16, compile_by_openvino, cpu_capabilities
from app.embedding.torchscript import read_module, run_by_torch

logger = logging.getLogger(__name__)


def choose_runtime(wanted: Runtime, capabilities: Callable[[], Collection[str]]) -> Runtime:
    """Return what ``wanted`` comes to on this CPU, which is only checked where it is ``AUTO``."""
    if wanted is not Runtime.AUTO:
        return wanted
    return Runtime.OPENVINO_BF16 if BFLOAT16 in capabilities() else Runtime.OPENVINO


def load_embedder(folder: Path, runtime: Runtime, workers: int) -> CheckedEmbedder:
    """Open a model folder and return its embedder, proved on the golden input.

    ``workers`` is how many inferences shall run side by side, one thread each. With ``AUTO`` a
    model that bfloat16 would change beyond its golden answer runs in fp32. Raises
    ``ModelArtifactError`` where the folder is not what its manifest says, and
    ``UnsupportedRuntimeError`` where this machine cannot run it so.
    """
    artifact = open_artifact(folder)
    module = read_module(artifact)
    chosen = choose_runtime(runtime, cpu_capabilities)
    try:
        return _embedder(artifact.manifest, module, chosen, workers)
    except ModelArtifactError as error:
        if runtime is not Runtime.AUTO or chosen is Runtime.OPENVINO:
            raise
        logger.warning("%s; trying fp32 instead of bfloat16", error)
        return _embedder(artifact.manifest, module, Runtime.OPENVINO, workers)


def _embedder(
    manifest: ModelManifest, module: torch.jit.ScriptModule, runtime: Runtime, workers: int
) -> CheckedEmbedder:
    if runtime is Runtime.TORCHSCRIPT:
        network = run_by_torch(module)
    else:
        network = compile_by_openvino(
            module,
            golden_input(manifest.input_size),
            bfloat16=runtime is Runtime.OPENVINO_BF16,
            streams=workers,
        )
    return CheckedEmbedder(manifest, network, runtime)
