"""Reads a CSV file with the columns path, label and, if there are parts, split."""

from __future__ import annotations

import csv
from pathlib import Path

from training.data.decoding import file_item
from training.data.images import ImageSet
from training.foundation.errors import DataError

REQUIRED_COLUMNS = ("path", "label")
OPTIONAL_COLUMNS = ("split",)


def read_table(path: Path, *, name: str | None = None) -> ImageSet:
    """Return the images that a table names; paths are relative to the table's folder.

    An empty label is an unknown identity, an empty split none. Keys are the paths as written.
    Raises ``DataError`` where columns are missing or unknown (a misspelt one would be ignored in
    silence), a line has another number of fields, or a file is missing.
    """
    if not path.is_file():
        raise DataError(f"{path} is not a file")
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            rows = list(csv.reader(stream, strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} is no CSV file in UTF-8: {error}") from error
    columns = [column.strip() for column in rows[0]] if rows else []
    _check_columns(path, columns)
    items = []
    for number, fields in enumerate(rows[1:], 2):
        if not fields:
            continue
        if len(fields) != len(columns):
            raise DataError(f"{path}, row {number}: {len(fields)} fields, not {len(columns)}")
        row = dict(zip(columns, (field.strip() for field in fields), strict=True))
        key, file = row["path"], path.parent / row["path"]
        if not key or not file.is_file():
            raise DataError(f"{path}, row {number}: there is no file {key!r}")
        items.append(file_item(file, key, row["label"] or None, row.get("split") or None))
    if not items:
        raise DataError(f"{path} names no image")
    return ImageSet(name or path.stem, tuple(items))


def _check_columns(path: Path, columns: list[str]) -> None:
    missing = [column for column in REQUIRED_COLUMNS if column not in columns]
    unknown = sorted(set(columns) - {*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS})
    if missing or unknown or len(set(columns)) != len(columns):
        raise DataError(
            f"{path} has the columns {columns}; wanted are {', '.join(REQUIRED_COLUMNS)} and, "
            f"if you like, {', '.join(OPTIONAL_COLUMNS)}, each once"
        )
