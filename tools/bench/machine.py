"""What the machine is that a figure comes from; without it a time means nothing."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from pathlib import Path

import psutil
from pydantic import BaseModel

from app.machine.cpus import usable_cpus

#: What decides how fast networks run, as Linux names it.
_FEATURES = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_bf16", "amx_int8")
_PACKAGES = ("numpy", "opencv-python-headless", "openvino", "faiss-cpu", "simplejpeg", "fastapi")


class Machine(BaseModel):
    """Facts of the machine, and of the packages that calculate."""

    cpu: str
    cpus: int
    features: list[str]
    memory_gib: float
    load: float
    python: str
    packages: dict[str, str]


def describe_machine() -> Machine:
    """Return the facts of this machine, and how busy it is now (one-minute load)."""
    info = (
        Path("/proc/cpuinfo").read_text(encoding="utf-8") if Path("/proc/cpuinfo").exists() else ""
    )
    lines = [line.partition(":") for line in info.splitlines()]
    first = {name.strip(): value.strip() for name, _, value in reversed(lines)}
    flags = first.get("flags", first.get("Features", "")).split()
    return Machine(
        cpu=first.get("model name", platform.processor() or platform.machine()),
        cpus=usable_cpus(),
        features=[name for name in _FEATURES if name in flags],
        memory_gib=round(psutil.virtual_memory().total / 2**30, 1),
        load=round(os.getloadavg()[0], 1),
        python=platform.python_version(),
        packages={name: metadata.version(name) for name in _PACKAGES},
    )
