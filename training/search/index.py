"""A saved index of a folder's pictures: exact inner products, and what they are of.

The index is a copy that can be made again: its folder holds ``index.faiss``, ``table.parquet`` and
``manifest.json`` and nothing else, and is replaced as a whole, so that the three always fit.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

import faiss
import numpy as np
from pydantic import ValidationError

from training.foundation.arrays import Matrix
from training.foundation.errors import DataError
from training.foundation.files import file_sha256, folder_made_whole, write_text
from training.foundation.records import Record
from training.metrics.embedding_table import EmbeddingTable
from training.metrics.hardest import Hit
from training.metrics.table_parts import label_name
from training.search.embedder import ImageEmbedder
from training.search.files import FileFacts
from training.search.parquet import read_embeddings, write_embeddings

INDEX, TABLE, MANIFEST = "index.faiss", "table.parquet", "manifest.json"
OURS = {INDEX, TABLE, MANIFEST}


class DamagedIndexError(DataError):
    """The folder of an index is incomplete or its parts do not fit together."""


class ForeignIndexError(DataError):
    """The folder is something else, or the index of other pictures or of another model."""


class MadeWith(Record):
    """Where the model of an index lies, and whether it was given ready crops."""

    model: str
    crops: bool = False


class IndexManifest(Record):
    """What an index is a copy of. ``files`` holds those that could not be embedded, too.

    ``made_with`` is missing in indexes from before it was kept.
    """

    format: Literal[1] = 1
    pictures: str
    model: str
    model_sha256: str | None
    made_with: MadeWith | None = None
    index_sha256: str
    table_sha256: str
    files: dict[str, FileFacts]


@dataclass(frozen=True)
class ImageIndex:
    """An index that is whole: row ``n`` of the FAISS index is row ``n`` of the table."""

    manifest: IndexManifest
    table: EmbeddingTable
    flat: faiss.IndexFlatIP

    def search(
        self, embedding: Matrix, count: int, without: Collection[str] = ()
    ) -> tuple[Hit, ...]:
        """Return the ``count`` most similar pictures to one unit embedding ``(D,)``, first first.

        Pictures whose keys are in ``without`` are passed over.
        Raises ``ValueError`` for an embedding of another size or that is not finite.
        """
        if embedding.shape != (self.flat.d,) or not np.isfinite(embedding).all():
            raise ValueError(f"an embedding has {self.flat.d} finite numbers")
        query = np.ascontiguousarray(embedding[None], np.float32)
        wanted = min(count + len(without), self.flat.ntotal)
        similarities, rows = self.flat.search(query, wanted)
        hits = (
            Hit(
                key=self.table.keys[row],
                label=label_name(self.table, int(row)),
                similarity=float(np.clip(similarity, -1.0, 1.0)),
            )
            for similarity, row in zip(similarities[0], rows[0], strict=True)
            if row != -1 and self.table.keys[row] not in without
        )
        return tuple(islice(hits, count))


def holds_index(folder: Path) -> bool:
    """Return whether there is an index; an empty folder or none is ``False``.

    Raises ``ForeignIndexError`` where the folder holds anything else, for it would be lost.
    """
    if not folder.exists():
        return False
    if not folder.is_dir():
        raise ForeignIndexError(f"{folder} is a file, an index is a folder")
    names = {path.name for path in folder.iterdir()}
    if names - OURS:
        raise ForeignIndexError(
            f"{folder} holds {min(names - OURS)!r}, which is no part of an index; "
            "give a folder of its own"
        )
    return bool(names)


def save_index(
    folder: Path,
    table: EmbeddingTable,
    pictures: str,
    embedder: ImageEmbedder,
    files: dict[str, FileFacts],
    made_with: MadeWith | None = None,
) -> ImageIndex:
    """Write an index in place of the one that ``folder`` holds, whole or not at all.

    Raises ``ForeignIndexError`` where the folder holds anything but an index.
    """
    holds_index(folder)
    flat = faiss.IndexFlatIP(table.embeddings.shape[1])
    flat.add(np.ascontiguousarray(table.embeddings, np.float32))
    with folder_made_whole(folder, replace=True) as partial:
        faiss.write_index(flat, str(partial / INDEX))
        write_embeddings(partial / TABLE, table, embedder.name)
        manifest = IndexManifest(
            pictures=pictures,
            model=embedder.name,
            model_sha256=embedder.sha256,
            made_with=made_with,
            index_sha256=file_sha256(partial / INDEX),
            table_sha256=file_sha256(partial / TABLE),
            files=files,
        )
        write_text(partial / MANIFEST, manifest.model_dump_json(indent=1) + "\n")
    return ImageIndex(manifest, table, flat)


def open_index(folder: Path) -> ImageIndex:
    """Return a saved index whose parts fit together.

    Raises ``DamagedIndexError`` where they do not, ``ForeignIndexError`` where the folder is
    something else.
    """
    if not holds_index(folder):
        raise DamagedIndexError(f"{folder} holds no index")
    missing = sorted(name for name in OURS if not (folder / name).is_file())
    if missing:
        raise _damaged(folder, f"{', '.join(missing)} missing")
    try:
        manifest = IndexManifest.model_validate_json((folder / MANIFEST).read_bytes())
    except ValidationError as error:
        raise _damaged(folder, f"{MANIFEST} is not an index's manifest") from error
    for name, expected in ((INDEX, manifest.index_sha256), (TABLE, manifest.table_sha256)):
        if file_sha256(folder / name) != expected:
            raise _damaged(folder, f"{name} is not the file that {MANIFEST} describes")
    table, model = read_embeddings(folder / TABLE)
    flat = _read_flat(folder)
    usable = {key for key, facts in manifest.files.items() if facts.reason is None}
    if flat.ntotal != len(table) or model != manifest.model or usable != set(table.keys):
        raise _damaged(folder, "index, table and manifest are not of the same pictures")
    return ImageIndex(manifest, table, flat)


def _read_flat(folder: Path) -> faiss.IndexFlatIP:
    try:
        flat = faiss.read_index(str(folder / INDEX))
    except RuntimeError as error:
        raise _damaged(folder, f"{INDEX} cannot be read") from error
    if not isinstance(flat, faiss.IndexFlatIP):
        raise _damaged(folder, f"{INDEX} is not a flat inner-product index")
    return flat


def _damaged(folder: Path, what: str) -> DamagedIndexError:
    remedy = "make it again with --rebuild, naming --pictures and --model"
    return DamagedIndexError(f"the index {folder} is damaged: {what}; {remedy}")
