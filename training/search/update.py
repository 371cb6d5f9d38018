"""Build an index of a folder, or bring it up to date by embedding only what is new or changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from app.domain.faces import Picture
from training.data.crops import NO_LABEL
from training.foundation.arrays import Matrix
from training.foundation.errors import DataError
from training.metrics.embedding_table import EmbeddingTable
from training.search.embedder import ImageEmbedder, UnusablePictureError, decode_picture
from training.search.files import (
    FileFacts,
    find_pictures,
    identities_of,
    looks_unchanged,
    read_file,
)
from training.search.index import (
    ForeignIndexError,
    ImageIndex,
    MadeWith,
    holds_index,
    open_index,
    save_index,
)

BATCH = 16


@dataclass(frozen=True)
class IndexUpdate:
    """An index that is up to date, and what that took.

    ``kept`` counts unchanged files, those that could not be embedded before among them.
    ``skipped`` are the pictures that cannot be embedded, with the reason, whether found now or
    before; ``rebuilt`` says why nothing of an older index was kept.
    """

    index: ImageIndex
    embedded: int
    kept: int
    removed: int
    skipped: Mapping[str, str]
    rebuilt: str | None


@dataclass
class _Collected:
    """Embeddings and facts of files as they are found; pictures wait until a batch is full."""

    embedder: ImageEmbedder
    embeddings: dict[str, Matrix] = field(default_factory=dict)
    files: dict[str, FileFacts] = field(default_factory=dict)
    waiting: list[tuple[str, Picture]] = field(default_factory=list)

    def add(self, key: str, content: bytes, facts: FileFacts) -> None:
        """Take a new file; one that does not decode is noted with the reason."""
        self.files[key] = facts
        try:
            self.waiting.append((key, decode_picture(content)))
        except UnusablePictureError as error:
            self._skip(key, error)
        if len(self.waiting) >= BATCH:
            self.embed_waiting()

    def embed_waiting(self) -> None:
        """Embed what waits; where the batch has an unusable picture, each by itself."""
        waiting, self.waiting = self.waiting, []
        if not waiting:
            return
        try:
            rows = self.embedder.embed_pictures([picture for _, picture in waiting])
            self.embeddings |= {key: row for (key, _), row in zip(waiting, rows, strict=True)}
        except UnusablePictureError:
            for key, picture in waiting:
                try:
                    self.embeddings[key] = self.embedder.embed_pictures([picture])[0]
                except UnusablePictureError as error:
                    self._skip(key, error)

    def _skip(self, key: str, error: UnusablePictureError) -> None:
        self.files[key] = self.files[key].model_copy(update={"reason": str(error)})


def embed_folder(pictures: Path, embedder: ImageEmbedder) -> tuple[EmbeddingTable, dict[str, str]]:
    """Return the embeddings of a folder's pictures, and why some have none.

    The folder that a picture lies in names its identity. Raises ``DataError`` where none is left.
    """
    collected = _Collected(embedder)
    for key, path in find_pictures(pictures).items():
        collected.add(key, *read_file(path))
    collected.embed_waiting()
    return _table_of(collected, pictures), _skipped(collected.files)


def update_index(
    folder: Path,
    pictures: Path,
    embedder: ImageEmbedder,
    *,
    made_with: MadeWith | None = None,
    rebuild: bool = False,
) -> IndexUpdate:
    """Make the index ``folder`` one of ``pictures`` as they are now, by this model.

    A file is new or changed where its size or time of change and its SHA-256 differ.
    ``made_with`` is kept in the index, so that a later search finds the model again. Raises
    ``DamagedIndexError`` or ``ForeignIndexError`` where ``folder`` cannot be used as it is: it is
    damaged or another model's (``rebuild`` replaces either), of other pictures, or no index.
    ``DataError`` where no picture can be embedded.
    """
    old, rebuilt = _usable_index(folder, pictures, embedder, rebuild=rebuild)
    known = old.manifest.files if old else {}
    row_of = {key: row for row, key in enumerate(old.table.keys)} if old else {}
    collected = _Collected(embedder)
    found = find_pictures(pictures)
    kept: set[str] = set()
    for key, path in found.items():
        if key in known and looks_unchanged(path, known[key]):
            facts, content = known[key], b""
        else:
            content, facts = read_file(path)
        if key in known and facts.sha256 == known[key].sha256:
            collected.files[key] = facts.model_copy(update={"reason": known[key].reason})
            if old and key in row_of:
                collected.embeddings[key] = old.table.embeddings[row_of[key]]
            kept.add(key)
        else:
            collected.add(key, content, facts)
    collected.embed_waiting()
    index = old
    table = _table_of(collected, pictures)
    kept_with = made_with or (old.manifest.made_with if old else None)
    if index is None or collected.files != known or not _told_alike(index, table, kept_with):
        where = str(pictures.resolve())
        index = save_index(folder, table, where, embedder, collected.files, kept_with)
    return IndexUpdate(
        index=index,
        embedded=len(collected.embeddings.keys() - kept),
        kept=len(kept),
        removed=len(known.keys() - found.keys()),
        skipped=_skipped(collected.files),
        rebuilt=rebuilt,
    )


def _usable_index(
    folder: Path, pictures: Path, embedder: ImageEmbedder, *, rebuild: bool
) -> tuple[ImageIndex | None, str | None]:
    """Return the index to go on from, or why there is none."""
    if not holds_index(folder):
        return None, None
    if rebuild:
        return None, "asked for"
    old = open_index(folder)
    if old.manifest.pictures != str(pictures.resolve()):
        raise ForeignIndexError(f"{folder} is the index of {old.manifest.pictures}")
    made_by = (old.manifest.model, old.manifest.model_sha256)
    if made_by != (embedder.name, embedder.sha256):
        raise ForeignIndexError(
            f"{folder} was made by {old.manifest.model}, not by {embedder.name}, and embeddings of "
            "two models do not mix: name its model with --model, another folder for this one, or "
            "replace the index with --rebuild"
        )
    return old, None


def _told_alike(index: ImageIndex, table: EmbeddingTable, made_with: MadeWith | None) -> bool:
    """Return whether an index names the identities of ``table`` and this place of its model."""
    kept = index.table
    same_names = kept.label_names == table.label_names and np.array_equal(kept.labels, table.labels)
    return same_names and index.manifest.made_with == made_with


def _table_of(collected: _Collected, pictures: Path) -> EmbeddingTable:
    keys = sorted(collected.embeddings)
    if not keys:
        reasons: Iterator[str] = iter(_skipped(collected.files).values())
        raise DataError(f"none of the pictures of {pictures} can be embedded: {next(reasons)}")
    listed = identities_of(pictures, keys)
    names = tuple(sorted({name for name in listed if name is not None}))
    number = {name: position for position, name in enumerate(names)}
    return EmbeddingTable(
        np.stack([collected.embeddings[key] for key in keys]).astype(np.float32),
        np.array([NO_LABEL if name is None else number[name] for name in listed], np.int64),
        tuple(keys),
        names,
    )


def _skipped(files: Mapping[str, FileFacts]) -> dict[str, str]:
    return {key: facts.reason for key, facts in files.items() if facts.reason is not None}
