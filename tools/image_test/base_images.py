"""The base images of a test: those that the caller names, or stand-ins made of Debian's packages.

Where no image can be pulled, Debian's Python stands in for the Python image and Debian's PostgreSQL
for the database's.
"""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.image_test.engine import Engine

SUITE, MIRROR = "bookworm", "http://deb.debian.org/debian"  # bookworm's Python is 3.11
PACKAGES = ("python3", "python3-venv", "ca-certificates")
STAND_INS = Path(__file__).parent / "stand_ins"
PYTHON_TAG, DATABASE_TAG = "facegate-image-test-python", "facegate-image-test-database"


@dataclass(frozen=True)
class BaseImages:
    """The names of both images, and which of them were made here and go again."""

    python: str
    database: str
    made: tuple[str, ...] = ()


def named_images(environment: Mapping[str, str]) -> BaseImages | None:
    """Return the images of PYTHON_IMAGE and DATABASE_IMAGE; None where one has to be made."""
    python, database = environment.get("PYTHON_IMAGE"), environment.get("DATABASE_IMAGE")
    return BaseImages(python, database) if python and database else None


def make_stand_ins(
    engine: Engine, folder: Path, environment: Mapping[str, str], certificates: str | None
) -> BaseImages:
    """Make what the environment does not name; ``certificates`` is a file that pip must find."""
    root, archive = folder / "debian", folder / "debian.tar"
    mirror = environment.get("DEBIAN_MIRROR") or MIRROR
    engine.run(
        *("debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}"),
        *(SUITE, root, mirror),
    )
    root.joinpath("usr/bin/python").symlink_to("python3")
    for needless in ("var/cache/apt/archives", "var/lib/apt/lists"):
        shutil.rmtree(root / needless)
        (root / needless / "partial").mkdir(parents=True)
    if certificates:
        inside = root / certificates.lstrip("/")
        inside.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(certificates, inside)
    with tarfile.open(archive, "w") as file:
        file.add(root, arcname=".")
    shutil.rmtree(root)
    engine.docker("import", archive, PYTHON_TAG)
    archive.unlink()
    engine.docker(
        *("build", "--network", "host", "--tag", DATABASE_TAG),
        *("--build-arg", f"PYTHON_IMAGE={PYTHON_TAG}"),
        *("--file", STAND_INS / "database.Dockerfile", STAND_INS),
    )
    python, database = environment.get("PYTHON_IMAGE"), environment.get("DATABASE_IMAGE")
    return BaseImages(python or PYTHON_TAG, database or DATABASE_TAG, (DATABASE_TAG, PYTHON_TAG))
