"""The TorchScript runtime, and the reader of a TorchScript file for every runtime."""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt
import torch

from app.domain.errors import ModelArtifactError
from app.embedding.artifact import ModelArtifact
from app.embedding.checked import Network


def limit_torch_threads(threads: int) -> None:
    """Set how many threads one operation of torch uses. Call once, before any inference."""
    torch.set_num_threads(threads)


def read_module(artifact: ModelArtifact) -> torch.jit.ScriptModule:
    """Load and freeze a model in fp32; raises ``ModelArtifactError`` where it is none."""
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*torch.jit.*", DeprecationWarning)
            module = torch.jit.load(str(artifact.path), map_location="cpu").float().eval()
            frozen: torch.jit.ScriptModule = torch.jit.freeze(module)
    except (RuntimeError, ValueError) as error:
        raise ModelArtifactError(f"{artifact.path.name} does not load: {error}") from error
    return frozen


def run_by_torch(module: torch.jit.ScriptModule) -> Network:
    """Return a frozen module as a network: it runs on the thread that calls."""

    def run(inputs: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
        with torch.inference_mode():
            output: npt.NDArray[np.float32] = module(torch.from_numpy(inputs)).numpy()
        return output

    return run
