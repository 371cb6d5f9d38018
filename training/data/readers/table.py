"""Reads a CSV file with the columns path, label and, if there are parts, split."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from training.data.decoding import file_item
from training.data.images import ImageSet
from training.foundation.errors import DataError

REQUIRED_COLUMNS = ("path", "label")
OPTIONAL_COLUMNS = ("split",)


def read_table(
    path: Path, *, name: str | None = None, columns: Mapping[str, str] | None = None
) -> ImageSet:
    """Return the images that a table names; paths are relative to the table's folder.

    An empty label is an unknown identity, an empty split none. Keys are the paths as written.
    ``columns`` says what a table calls them (``{"label": "person"}``); its other columns are then
    passed over.
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
    headers = [column.strip() for column in rows[0]] if rows else []
    places = _places(path, headers, dict(columns or {}))
    items = []
    for number, fields in enumerate(rows[1:], 2):
        if not fields:
            continue
        if len(fields) != len(headers):
            raise DataError(f"{path}, row {number}: {len(fields)} fields, not {len(headers)}")
        row = {column: fields[place].strip() for column, place in places.items()}
        key, file = row["path"], path.parent / row["path"]
        if not key or not file.is_file():
            raise DataError(f"{path}, row {number}: there is no file {key!r}")
        items.append(file_item(file, key, row["label"] or None, row.get("split") or None))
    if not items:
        raise DataError(f"{path} names no image")
    return ImageSet(name or path.stem, tuple(items))


def _places(path: Path, headers: list[str], called: dict[str, str]) -> dict[str, int]:
    """Return where each column that is read stands in a line."""
    known = (*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS)
    if wrong := sorted(called.keys() - set(known)):
        raise DataError(f"there is no column {wrong[0]!r} to name; there are {', '.join(known)}")
    names = {column: called.get(column, column) for column in known}
    wanted = {
        column: name for column, name in names.items() if column != "split" or name in headers
    }
    missing = [name for column, name in wanted.items() if name not in headers]
    missing += [name for name in called.values() if name not in (*headers, *missing)]
    unknown = [] if called else sorted(set(headers) - set(known))
    twice = [name for name in wanted.values() if headers.count(name) > 1]
    if missing or unknown or twice or len(set(wanted.values())) != len(wanted):
        raise DataError(
            f"{path} has the columns {headers}; wanted are "
            f"{', '.join(names[column] for column in REQUIRED_COLUMNS)} and, if you like, "
            f"{names['split']}, each once (other names: columns.label in a recipe, --column "
            "label=NAME on the command line)"
        )
    return {column: headers.index(name) for column, name in wanted.items()}
