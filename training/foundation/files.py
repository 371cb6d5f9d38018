"""Files and folders that appear whole or not at all, and their hashes."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CHUNK_BYTES = 1 << 20


def write_text(path: Path, text: str) -> None:
    """Write a text file beside its place, then put it there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def refuse_existing(target: Path, *, replace: bool) -> None:
    """Raise ``FileExistsError`` where ``target`` exists and may not be replaced.

    To be called before work of minutes whose result goes there.
    """
    if target.exists() and not replace:
        raise FileExistsError(f"{target} exists; replace it explicitly (--replace)")


@contextmanager
def folder_made_whole(target: Path, *, replace: bool) -> Iterator[Path]:
    """Yield an empty folder that takes ``target``'s place if the block ends without an error.

    Raises ``FileExistsError`` where ``target`` exists and may not be replaced.
    """
    refuse_existing(target, replace=replace)
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


def file_hash(path: Path) -> str | None:
    """Return the SHA-256 of a file, or of the files of a folder and their names; None for none."""
    if path.is_dir():
        digest = hashlib.sha256()
        for file in sorted(item for item in path.rglob("*") if item.is_file()):
            digest.update(f"{file.relative_to(path).as_posix()} {file_hash(file)}\n".encode())
        return digest.hexdigest()
    if not path.is_file():
        return None
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
