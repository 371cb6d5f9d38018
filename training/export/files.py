"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write_text(path: Path, text: str) -> None:
    """Write a text file beside its place, then put it there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


@contextmanager
def folder_made_whole(target: Path, *, replace: bool) -> Iterator[Path]:
    """Yield an empty folder that takes ``target``'s place if the block ends without an error.

    Raises ``FileExistsError`` where ``target`` exists and may not be replaced.
    """
    if target.exists() and not replace:
        raise FileExistsError(f"{target} exists; replace it explicitly")
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        yield partial
        partial.chmod(0o755)  # mkdtemp makes private folders; a model is for every reader
        old = partial.with_name(f"{partial.name}.old")
        if target.exists():
            target.replace(old)
        partial.replace(target)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
