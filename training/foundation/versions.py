"""Which versions of Python and of the libraries a result was made with."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib.metadata import version

LIBRARIES = ("torch", "numpy", "opencv-python-headless", "scipy")


def library_versions(names: Sequence[str] = LIBRARIES) -> dict[str, str]:
    """Return Python's and the libraries' versions."""
    return {"python": platform.python_version()} | {name: version(name) for name in names}
