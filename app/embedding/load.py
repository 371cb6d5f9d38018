"""From a model folder and the name of a runtime to an embedder that has proved itself.

Torch is imported where the model is a TorchScript module: an ONNX file is run without it, which
saves the process its start and its memory.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING

from app.domain.errors import ModelArtifactError, UnsupportedRuntimeError
from app.domain.golden import golden_input
from app.domain.model_manifest import ModelManifest
from app.domain.runtime import Runtime
from app.embedding.artifact import ModelArtifact, open_artifact
from app.embedding.checked import CheckedEmbedder, Network
from app.embedding.openvino import BFLOAT16, compile_by_openvino, cpu_capabilities
from app.embedding.prepared import FOLDER, find_prepared, prepare_apart, require_torch

if TYPE_CHECKING:
    import torch

#: What a manifest calls its file's format.
TORCHSCRIPT_FORMAT, ONNX_FORMAT = "torchscript", "onnx"

logger = logging.getLogger(__name__)


def choose_runtime(wanted: Runtime, capabilities: Callable[[], Collection[str]]) -> Runtime:
    """Return what ``wanted`` comes to on this CPU, which is only checked where it is ``AUTO``."""
    if wanted is not Runtime.AUTO:
        return wanted
    return Runtime.OPENVINO_BF16 if BFLOAT16 in capabilities() else Runtime.OPENVINO


def load_embedder(
    folder: Path,
    runtime: Runtime,
    workers: int,
    torch_threads: int | None = None,
    prepared: Path | None = None,
) -> CheckedEmbedder:
    """Open a model folder and return its embedder, proved on the golden input.

    ``workers`` is how many inferences shall run side by side, one thread each; ``torch_threads``
    how many an operation of torch may use, where the model needs torch. With the folder
    ``prepared`` a TorchScript model that OpenVINO runs is converted once, into files there, and
    this process needs no torch. With ``AUTO`` a model that
    bfloat16 would change beyond its golden answer runs in fp32. Raises ``ModelArtifactError`` where
    the folder is not what its manifest says, and ``UnsupportedRuntimeError`` where this machine, or
    this format, cannot run so.
    """
    artifact = open_artifact(folder)
    chosen = choose_runtime(runtime, cpu_capabilities)
    source = _source(artifact, chosen, torch_threads, prepared)
    try:
        return _embedder(artifact.manifest, source, chosen, workers)
    except ModelArtifactError as error:
        if runtime is not Runtime.AUTO or chosen is Runtime.OPENVINO:
            raise
        logger.warning("%s; trying fp32 instead of bfloat16", error)
        return _embedder(artifact.manifest, source, Runtime.OPENVINO, workers)


def _source(
    artifact: ModelArtifact, chosen: Runtime, torch_threads: int | None, prepared: Path | None
) -> torch.jit.ScriptModule | Path:
    """Return what a runtime reads: a TorchScript module, or the path of a file for OpenVINO."""
    file_format = artifact.manifest.format
    if file_format == ONNX_FORMAT:
        return artifact.path
    if file_format != TORCHSCRIPT_FORMAT:
        raise ModelArtifactError(
            f"format {file_format!r} is neither {TORCHSCRIPT_FORMAT!r} nor {ONNX_FORMAT!r}"
        )
    kept = None if chosen is Runtime.TORCHSCRIPT else prepared
    if kept is not None:
        graph = find_prepared(artifact, (artifact.path.parent / FOLDER, kept))
        if graph is not None:
            return graph
    require_torch(artifact, chosen)
    if kept is not None and (graph := prepare_apart(artifact, kept)):
        return graph
    from app.embedding.torchscript import limit_torch_threads, read_module

    if torch_threads is not None:
        limit_torch_threads(torch_threads)
    return read_module(artifact)


def _embedder(
    manifest: ModelManifest, source: torch.jit.ScriptModule | Path, chosen: Runtime, workers: int
) -> CheckedEmbedder:
    if chosen is Runtime.TORCHSCRIPT:
        network = _run_by_torch(source)
    else:
        network = compile_by_openvino(
            source,
            golden_input(manifest.input_size),
            bfloat16=chosen is Runtime.OPENVINO_BF16,
            streams=workers,
        )
    return CheckedEmbedder(manifest, network, chosen)


def _run_by_torch(source: torch.jit.ScriptModule | Path) -> Network:
    if isinstance(source, Path):
        raise UnsupportedRuntimeError(
            f"{source.name} is an ONNX file, which OpenVINO runs; use the runtime 'auto', "
            "'openvino' or 'openvino-bf16'"
        )
    from app.embedding.torchscript import run_by_torch

    return run_by_torch(source)
