from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.training.metrics.made_tables import made_table
from training.metrics.table_parts import label_name
from training.search.parquet import EmbeddingFileError, read_embeddings, write_embeddings


def test_a_table_comes_back_as_it_was_written(tmp_path: Path) -> None:
    table = made_table([3, 1, 4], unknown=2)
    write_embeddings(tmp_path / "new" / "e.parquet", table, "model-1")
    read, model = read_embeddings(tmp_path / "new" / "e.parquet")
    assert model == "model-1"
    assert read.keys == table.keys
    np.testing.assert_array_equal(read.embeddings, table.embeddings)
    names = [label_name(read, row) for row in range(len(read))]
    assert names == [label_name(table, row) for row in range(len(table))]
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["e.parquet"]


def test_any_reader_of_parquet_sees_vectors_of_a_fixed_size(tmp_path: Path) -> None:
    write_embeddings(tmp_path / "e.parquet", made_table([2]), "m")
    schema = pq.read_schema(tmp_path / "e.parquet")
    assert schema.names == ["key", "label", "model", "embedding"]
    assert schema.field("embedding").type == pa.list_(pa.float32(), 16)


def test_what_holds_no_embeddings_is_refused_with_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "e.parquet"
    path.write_bytes(b"nonsense")
    with pytest.raises(EmbeddingFileError, match="cannot be read as Parquet"):
        read_embeddings(path)
    with pytest.raises(EmbeddingFileError, match="cannot be read"):
        read_embeddings(tmp_path / "missing.parquet")
    pq.write_table(pa.table({"key": ["a"], "size": [1]}), path)
    with pytest.raises(EmbeddingFileError, match="holds the columns key, size"):
        read_embeddings(path)


@pytest.mark.parametrize(
    ("models", "vectors", "message"),
    [
        (["a", "b"], [[1.0, 0.0], [0.0, 1.0]], "mixes embeddings of 2 models"),
        (["a", "a"], [[1.0, 0.0], [0.0, 2.0]], "unit"),
        (["a", "a"], [[1.0, 0.0], [float("nan"), 0.0]], "unit"),
        (["a", "a"], [[1.0, 0.0], None], "a row is missing"),
    ],
)
def test_rows_that_are_no_embeddings_of_one_model_are_refused(
    tmp_path: Path, models: list[str], vectors: list[list[float] | None], message: str
) -> None:
    columns = {
        "key": pa.array(["x", "y"]),
        "label": pa.array(["x", None], pa.string()),
        "model": pa.array(models),
        "embedding": pa.array(vectors, pa.list_(pa.float32(), 2)),
    }
    pq.write_table(pa.table(columns), tmp_path / "e.parquet")
    with pytest.raises(EmbeddingFileError, match=message):
        read_embeddings(tmp_path / "e.parquet")
