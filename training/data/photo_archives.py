"""Whole photos as they lie in a tar file."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path


def photos_of(path: Path, limit: int | None = None) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of an archive's files, up to ``limit`` evenly drawn from all of it."""
    with tarfile.open(path) as archive:
        members = [member for member in archive.getmembers() if member.isfile()]
        count = limit or len(members)
        for member in members[:: max(1, len(members) // count)][:count]:
            content = archive.extractfile(member)
            if content is not None:
                yield member.name, content.read()
