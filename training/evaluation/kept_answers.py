"""What a model says of a set of crops, kept on disk: the same file asked twice answers once.

Commands that judge one model one after the other (export, evaluate, prove, burst) would embed the
same 24,000 pictures each time.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from training.data.crops import CropSet
from training.foundation.arrays import Matrix

#: Where answers are kept unless a caller says otherwise.
CACHE = Path("runs/cache")

_LOOKED_AT = 64


def kept_answers(
    cache: Path | None, model: str, crops: CropSet, embed: Callable[[CropSet], Matrix]
) -> Matrix:
    """Return ``embed(crops)``, read from ``cache`` where this ``model`` met these crops before.

    ``model`` is what tells models apart: the hash of a file, the identities of teachers. Nothing is
    kept where ``cache`` is None.
    """
    if cache is None:
        return embed(crops)
    digest = hashlib.sha256(f"{model}\n".encode() + "\n".join(crops.files).encode())
    digest.update(crops.images[:: max(1, len(crops) // _LOOKED_AT)].numpy().tobytes())
    file = cache / f"single-view-{digest.hexdigest()[:16]}.npy"
    if file.is_file():
        kept: Matrix = np.load(file)
        return kept
    embeddings = embed(crops)
    cache.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(f".{os.getpid()}.partial.npy")
    np.save(partial, embeddings)
    partial.replace(file)
    return embeddings
