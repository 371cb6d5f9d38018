"""The OpenVINO runtime: compiles a TorchScript module or an ONNX file for this CPU at start.

OpenVINO is imported by the first call and not with this module: its Python package reports every
import and every conversion to its maker unless ``openvino_telemetry`` cannot be imported, and that
has to be seen to first.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from app.domain.errors import ModelArtifactError, UnsupportedRuntimeError
from app.embedding.checked import Network

if TYPE_CHECKING:
    import torch

DEVICE = "CPU"
BFLOAT16 = "BF16"


def compile_by_openvino(
    module: torch.jit.ScriptModule | Path,
    example: npt.NDArray[np.generic],
    *,
    bfloat16: bool,
    streams: int,
) -> Network:
    """Return a frozen module, or an ONNX file, as a network of its own copy of the weights.

    Nothing is written, and an ONNX file is read without torch. ``example`` is one batch of inputs;
    later ones have its type and shape but any length. One inference uses one thread, and up to
    ``streams`` run side by side (at most one for each CPU); further calls wait. Raises
    ``ModelArtifactError`` where OpenVINO cannot run the module, and ``UnsupportedRuntimeError``
    where this CPU lacks bfloat16.
    """
    if bfloat16:
        require_bfloat16(cpu_capabilities())
    openvino = _import_openvino()
    shape = openvino.PartialShape([-1, *example.shape[1:]])
    options = {
        "INFERENCE_PRECISION_HINT": "bf16" if bfloat16 else "f32",
        "NUM_STREAMS": streams,
        "INFERENCE_NUM_THREADS": streams,
        "ENABLE_HYPER_THREADING": True,  # or a stream for each core, not for each CPU
        "ENABLE_CPU_PINNING": False,  # pinned, two processes share one CPU while others idle
    }
    try:
        with _root_logger_kept():
            if isinstance(module, Path):
                model = openvino.Core().read_model(module)
                model.reshape(shape)
                if model.input(0).element_type != openvino.Type(example.dtype):
                    raise ModelArtifactError(f"{module.name} does not take {example.dtype} inputs")
            else:
                model = openvino.convert_model(
                    module, input=[(shape, openvino.Type(example.dtype))], share_weights=False
                )
        compiled = openvino.Core().compile_model(model, DEVICE, options)
    except ModelArtifactError:
        raise
    except Exception as error:  # OpenVINO's own errors have no common base
        raise ModelArtifactError(f"OpenVINO cannot run the model: {error}") from error

    def run(inputs: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
        # A request serves one caller at a time; making one takes microseconds.
        output: npt.NDArray[np.float32] = compiled.create_infer_request().infer([inputs])[0]
        return output

    return run


@cache
def cpu_capabilities() -> tuple[str, ...]:
    """Return what OpenVINO says of this CPU: ``FP32``, ``BF16`` where it is native, and so on.

    Raises ``UnsupportedRuntimeError`` where OpenVINO does not run on it.
    """
    openvino = _import_openvino()
    try:
        capabilities = openvino.Core().get_property(DEVICE, "OPTIMIZATION_CAPABILITIES")
    except Exception as error:  # OpenVINO's own errors have no common base
        raise UnsupportedRuntimeError(
            f"OpenVINO does not run on this CPU; use the runtime 'torchscript': {error}"
        ) from error
    return tuple(map(str, capabilities))


def require_bfloat16(capabilities: Collection[str]) -> None:
    """Raise ``UnsupportedRuntimeError`` where a CPU of these capabilities has no bfloat16."""
    if BFLOAT16 not in capabilities:
        raise UnsupportedRuntimeError(
            "this CPU does not calculate in bfloat16 (AVX-512 BF16, AVX-VNNI-2 or AMX); "
            "use the runtime 'openvino' or 'torchscript'"
        )


@contextmanager
def _root_logger_kept() -> Iterator[None]:
    """Give the root logger back as it was; a conversion that fails leaves it at ERROR."""
    root = logging.getLogger()
    level, filters, handlers = root.level, list(root.filters), list(root.handlers)
    try:
        yield
    finally:
        root.setLevel(level)
        root.filters, root.handlers = filters, handlers


def _import_openvino() -> ModuleType:
    """Import OpenVINO without its telemetry: a module that is None cannot be imported.

    OpenVINO then takes the stub that it holds for installations without telemetry.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    quiet: ModuleType = openvino
    return quiet
