"""Reads tar shards with members ``<identity>/<file>``, each picture by its place in the file."""

from __future__ import annotations

import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from app.domain.faces import Picture
from training.data.decoding import PICTURE_SUFFIXES, decode_picture
from training.data.images import ImageItem, ImageSet, UnreadableImageError
from training.foundation.errors import DataError


@dataclass(frozen=True)
class _Member:
    """One picture in a shard. Calling it opens the file anew: threads share no position."""

    shard: Path
    key: str
    offset: int
    size: int

    def __call__(self) -> Picture:
        return decode_picture(self.content(), self.key)

    def content(self) -> bytes:
        """Return the member's bytes; raises ``UnreadableImageError``."""
        try:
            with self.shard.open("rb") as stream:
                stream.seek(self.offset)
                content = stream.read(self.size)
        except OSError as error:
            raise UnreadableImageError(f"{self.key}: {error.strerror or error}") from error
        if len(content) != self.size:
            raise UnreadableImageError(f"{self.key}: {self.shard} ends in the middle of it")
        return content


def read_shards(
    paths: Path | Iterable[Path], *, labelled: bool = True, name: str | None = None
) -> ImageSet:
    """Return the pictures in tar files, or in all ``*.tar`` of a folder; none is decoded yet.

    A member's folder, whole, names its identity, also across shards; without ``labelled`` nobody
    is known. Keys are the members' names. Raises ``DataError`` where a file is no plain tar (a
    compressed one cannot be read at a place), a picture lies in no folder, or there is none.
    """
    shards = _shard_files(paths)
    items = []
    for member in (member for shard in shards for member in _members(shard)):
        folder = member.key.rpartition("/")[0]
        if labelled and not folder:
            raise DataError(f"{member.shard}: {member.key} lies in no folder, so of no identity")
        label = folder if labelled else None
        items.append(ImageItem(member.key, label, member, content=member.content))
    if not items:
        raise DataError(f"no picture in {', '.join(map(str, shards))}")
    return ImageSet(name or (paths if isinstance(paths, Path) else shards[0]).stem, tuple(items))


def _shard_files(paths: Path | Iterable[Path]) -> list[Path]:
    if not isinstance(paths, Path):
        shards = list(paths)
        if not shards:
            raise DataError("no tar file is named")
        return shards
    if not paths.is_dir():
        return [paths]
    shards = sorted(paths.glob("*.tar"))
    if not shards:
        raise DataError(f"{paths} holds no .tar file")
    return shards


def _members(shard: Path) -> Iterator[_Member]:
    if not shard.is_file():
        raise DataError(f"{shard} is not a file")
    try:
        with tarfile.open(shard, "r:") as archive:
            for info in archive:
                if not info.isfile() or not info.name.lower().endswith(PICTURE_SUFFIXES):
                    continue
                if info.issparse():
                    raise DataError(f"{shard}: {info.name} is stored with holes; pack it anew")
                yield _Member(shard, info.name.removeprefix("./"), info.offset_data, info.size)
    except tarfile.TarError as error:
        raise DataError(f"{shard} is no plain tar file ({error}); a .tar.gz: unpack it") from error
