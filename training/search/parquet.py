"""Embeddings as a Parquet file: one row an image, with the model that made them.

Columns: ``key`` and ``model`` (text), ``label`` (text, null where unknown), ``embedding`` (a list
of fixed size, float32).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from training.data.crops import NO_LABEL
from training.foundation.arrays import Matrix
from training.foundation.errors import DataError
from training.metrics.embedding_table import EmbeddingTable
from training.metrics.table_parts import label_name

COLUMNS = ("key", "label", "model", "embedding")


class EmbeddingFileError(DataError):
    """A file does not hold embeddings; the message says what it holds instead."""


def write_embeddings(path: Path, table: EmbeddingTable, model: str) -> None:
    """Write a table beside its place, then put it there."""
    flat = pa.array(np.ascontiguousarray(table.embeddings, np.float32).ravel(), pa.float32())
    labels = [label_name(table, row) for row in range(len(table))]
    columns = [
        pa.array(table.keys, pa.string()),
        pa.array(labels, pa.string()),
        pa.array([model] * len(table), pa.string()),
        pa.FixedSizeListArray.from_arrays(flat, table.embeddings.shape[1]),
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    pq.write_table(pa.table(columns, names=list(COLUMNS)), partial)
    partial.replace(path)


def read_embeddings(path: Path) -> tuple[EmbeddingTable, str]:
    """Return the table and the name of its model; raises ``EmbeddingFileError``.

    Labels are numbered in the order of their names.
    """
    try:
        read = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise EmbeddingFileError(f"{path} cannot be read as Parquet: {error}") from error
    if tuple(read.column_names) != COLUMNS or not _holds_vectors(read.schema):
        raise EmbeddingFileError(
            f"{path} holds the columns {', '.join(read.column_names)}; embeddings are "
            f"{', '.join(COLUMNS)}, the last a list of fixed size of float32"
        )
    models = sorted(set(read["model"].to_pylist()))
    if len(models) != 1:
        raise EmbeddingFileError(f"{path} mixes embeddings of {len(models)} models: {models}")
    listed: list[str | None] = read["label"].to_pylist()
    names = tuple(sorted({name for name in listed if name is not None}))
    number = {name: position for position, name in enumerate(names)}
    labels = [NO_LABEL if name is None else number[name] for name in listed]
    try:
        table = EmbeddingTable(
            _matrix(read), np.array(labels, np.int64), tuple(read["key"].to_pylist()), names
        )
    except ValueError as error:
        raise EmbeddingFileError(f"{path} holds no unit embeddings: {error}") from error
    return table, str(models[0])


def _holds_vectors(schema: pa.Schema) -> bool:
    kind = schema.field("embedding").type
    return bool(pa.types.is_fixed_size_list(kind) and kind.value_type == pa.float32())


def _matrix(read: pa.Table) -> Matrix:
    """Return the embeddings ``(N, D)``; a row that is null or holds one is an error."""
    dim = int(read.schema.field("embedding").type.list_size)
    column = read["embedding"].combine_chunks()
    if column.null_count or column.flatten().null_count:
        raise ValueError("a row is missing")
    values: Matrix = column.flatten().to_numpy(zero_copy_only=False).reshape(-1, dim)
    return values.astype(np.float32)
