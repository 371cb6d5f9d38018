"""The exported module: uint8 crops in, unit embeddings out; scaling and norm live inside."""

from __future__ import annotations

import copy
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from app.domain.golden import golden_input
from app.embedding.openvino import compile_by_openvino
from training.foundation.errors import CheckpointError
from training.networks.door_crop import FACE_SIZE

ONNX_SUFFIX = ".onnx"


class ServedEmbedder(nn.Module):
    """A network as the service calls it; its submodule's name is what training reloads by."""

    def __init__(self, student: nn.Module) -> None:
        super().__init__()
        self.student = student

    def forward(self, crops: Tensor) -> Tensor:
        """Return float32 unit embeddings ``(N, D)`` of RGB uint8 crops ``(N, 3, 112, 112)``."""
        return F.normalize(self.student(crops.float()).float(), dim=1)


@contextmanager
def quiet_torchscript() -> Iterator[None]:
    """Silence the notice that TorchScript is deprecated, and no other warning."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r".*torch\.jit.*", DeprecationWarning)
        yield


def save_module(student: nn.Module, path: Path, *, half: bool) -> None:
    """Write a network as a plain TorchScript module, neither frozen nor optimised.

    Scripted, or traced where its code cannot be scripted, as that of torchvision and timm: what is
    written holds the operations and none of their code, so that a reader needs neither. With
    ``half`` the weights of convolutions, the head and the projection are stored as fp16; the
    batch norms stay fp32, for they are small and their variances span many magnitudes. A reader
    calls ``.float()`` after loading. Raises ``CheckpointError`` where it can be neither.
    """
    plain = copy.deepcopy(student).cpu().eval().requires_grad_(False)
    module = _as_torchscript(ServedEmbedder(plain).eval())
    if half:
        norms = (nn.BatchNorm1d, nn.BatchNorm2d)
        for part in plain.modules():
            if not isinstance(part, norms):
                for parameter in part.parameters(recurse=False):
                    parameter.data = parameter.data.half()  # the same tensors are the module's
    module.save(str(path))
    _forget_sources(path)


def _as_torchscript(served: ServedEmbedder) -> torch.jit.ScriptModule:
    with quiet_torchscript():
        try:
            scripted: torch.jit.ScriptModule = torch.jit.script(served)
        except Exception:  # whatever its compiler makes of code that it does not know
            return _traced(served)
    return scripted


def _forget_sources(path: Path) -> None:
    """Write a module's archive again without the names of the files that it was scripted from.

    They are paths of this machine, for traces of errors, and the only bytes of the archive that
    depend on where the code lies: the same network is the same file everywhere.
    """
    partial = path.with_name(f".{path.name}.partial")
    with zipfile.ZipFile(path) as whole, zipfile.ZipFile(partial, "w") as kept:
        for name in whole.namelist():
            if not name.endswith(".debug_pkl"):
                kept.writestr(zipfile.ZipInfo(name), whole.read(name))
    partial.replace(path)


def _traced(served: ServedEmbedder) -> torch.jit.ScriptModule:
    example = torch.from_numpy(golden_input(FACE_SIZE)).repeat(2, 1, 1, 1)
    with quiet_torchscript(), torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the tracer: the parity proof says more
        try:
            traced: torch.jit.ScriptModule = torch.jit.trace(served, example, check_trace=False)
        except Exception as error:
            said = str(error).strip().splitlines()[0]
            raise CheckpointError(
                f"the network can be neither scripted nor traced: {said}"
            ) from error
    return traced


class OnnxModule(nn.Module):
    """An ONNX file run by OpenVINO as the service runs it, to be called like any module."""

    def __init__(self, path: Path, example: npt.NDArray[np.generic] | None = None) -> None:
        """Compile the file for inputs like ``example``, crops unless said otherwise.

        Raises ``ModelArtifactError`` where OpenVINO cannot run it.
        """
        super().__init__()
        shown = golden_input(FACE_SIZE) if example is None else example
        self.answer = compile_by_openvino(path, shown, bfloat16=False, streams=1)

    def forward(self, crops: Tensor) -> Tensor:
        """Return float32 unit embeddings ``(N, D)`` of RGB uint8 crops ``(N, 3, 112, 112)``."""
        return torch.from_numpy(self.answer(np.ascontiguousarray(crops.cpu().numpy())))


def load_module(path: Path, device: torch.device) -> nn.Module:
    """Load and freeze an exported module exactly as the service does, whichever its format.

    An ONNX file runs on the CPU. Raises ``CheckpointError`` where the file is no TorchScript
    module, and ``ModelArtifactError`` where it is no ONNX network that OpenVINO runs.
    """
    if path.suffix == ONNX_SUFFIX:
        return OnnxModule(path)
    with quiet_torchscript():
        try:
            module = torch.jit.load(str(path), map_location=device).float().eval()
        except RuntimeError as error:
            raise CheckpointError(f"{path} is no TorchScript module") from error
        frozen: torch.jit.ScriptModule = torch.jit.freeze(module)
    return frozen
