"""A folder of pictures as files with facts: which are new, changed, the same, or gone."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from training.data.decoding import PICTURE_SUFFIXES
from training.data.readers.registry import guess_kind
from training.foundation.errors import DataError
from training.foundation.records import Record


class FileFacts(Record):
    """What tells a file from its next version; ``reason`` is why it could not be embedded."""

    size: int
    modified_ns: int
    sha256: str
    reason: str | None = None


def find_pictures(folder: Path) -> dict[str, Path]:
    """Return the pictures below a folder by key, their path in it; hidden ones are left out.

    Raises ``DataError`` where there is no folder or no picture.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder")
    found = {}
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in inside.parts)
        if not hidden and path.suffix.lower() in PICTURE_SUFFIXES and path.is_file():
            found[inside.as_posix()] = path
    if not found:
        raise DataError(f"{folder} holds no picture ({', '.join(PICTURE_SUFFIXES)})")
    return found


def identities_of(folder: Path, keys: Sequence[str]) -> list[str | None]:
    """Return the identity of each picture of ``folder``, ``None`` where nothing names one.

    It is the folder that a picture lies in; in pairs by file name (left/NAME, right/NAME) the name
    itself, and in folders of splits (train/ada) the part below the split.
    """
    kind = guess_kind(folder)
    if kind == "stem_pairs":
        return [PurePosixPath(key).stem for key in keys]
    parents = [PurePosixPath(key).parent.parts for key in keys]
    if kind == "split_folders":
        parents = [parts[1:] for parts in parents]
    return ["/".join(parts) or None for parts in parents]


def looks_unchanged(path: Path, known: FileFacts) -> bool:
    """Return whether size and time of change are the known ones; the content is not read."""
    now = path.stat()
    return (now.st_size, now.st_mtime_ns) == (known.size, known.modified_ns)


def read_file(path: Path) -> tuple[bytes, FileFacts]:
    """Return a file's content and its facts."""
    modified = path.stat().st_mtime_ns  # before reading: a later change then looks like one
    content = path.read_bytes()
    facts = FileFacts(
        size=len(content), modified_ns=modified, sha256=hashlib.sha256(content).hexdigest()
    )
    return content, facts
