"""The exported module: uint8 crops in, unit embeddings out; scaling and norm live inside."""

from __future__ import annotations

import copy
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.foundation.errors import CheckpointError


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

    With ``half`` the weights of convolutions, the head and the projection are stored as fp16; the
    batch norms stay fp32, for they are small and their variances span many magnitudes. A reader
    calls ``.float()`` after loading.
    """
    plain = copy.deepcopy(student).cpu().eval().requires_grad_(False)
    if half:
        norms = (nn.BatchNorm1d, nn.BatchNorm2d)
        for module in plain.modules():
            if not isinstance(module, norms):
                for parameter in module.parameters(recurse=False):
                    parameter.data = parameter.data.half()
    with quiet_torchscript():
        torch.jit.script(ServedEmbedder(plain).eval()).save(str(path))
    _forget_sources(path)


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


def load_module(path: Path, device: torch.device) -> torch.jit.ScriptModule:
    """Load and freeze an exported module exactly as the service does.

    Raises ``CheckpointError`` where the file is no TorchScript module.
    """
    with quiet_torchscript():
        try:
            module = torch.jit.load(str(path), map_location=device).float().eval()
        except RuntimeError as error:
            raise CheckpointError(f"{path} is no TorchScript module") from error
        frozen: torch.jit.ScriptModule = torch.jit.freeze(module)
    return frozen
