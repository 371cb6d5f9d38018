from __future__ import annotations

from pathlib import Path

import pytest

from tests.training.data.made_images import write_image
from training.data.readers.registry import read_images
from training.data.readers.table import read_table
from training.foundation.errors import DataError


def write_table(root: Path, text: str, encoding: str = "utf-8") -> Path:
    for number in range(3):
        write_image(root / "pictures" / f"{number}.png", number)
    table = root / "set.csv"
    table.write_text(text, encoding=encoding)
    return table


def test_rows_name_path_label_and_split(tmp_path: Path) -> None:
    table = write_table(
        tmp_path,
        "label,path,split\nada,pictures/0.png,train\n,pictures/1.png,\n\nbob,pictures/2.png,test\n",
    )
    images = read_table(table)
    assert [(item.key, item.label, item.split) for item in images.items] == [
        ("pictures/0.png", "ada", "train"),
        ("pictures/1.png", None, None),
        ("pictures/2.png", "bob", "test"),
    ]
    assert images.items[0].read().shape == (20, 20, 3)


def test_a_byte_order_mark_is_no_part_of_a_column(tmp_path: Path) -> None:
    table = write_table(tmp_path, "path,label\npictures/0.png,é\n", "utf-8-sig")
    assert read_table(table).label_names == ("é",)


@pytest.mark.parametrize(
    "columns", ["path", "file,label", "path,label,splits", "path,label,label", "", "path;label"]
)
def test_wrong_columns_are_told_with_the_right_ones(tmp_path: Path, columns: str) -> None:
    with pytest.raises(DataError, match="wanted are path, label and, if you like, split"):
        read_table(write_table(tmp_path, f"{columns}\npictures/0.png,ada\n"))


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("pictures/9.png,ada", r"row 2: there is no file 'pictures/9.png'"),
        (",ada", "row 2: there is no file ''"),
        ("pictures/0.png,ada,train", "row 2: 3 fields, not 2"),
        ("pictures/0.png", "row 2: 1 fields, not 2"),
        ("", "names no image"),
        ("pictures/0.png,a\npictures/0.png,b", "'pictures/0.png' twice"),
    ],
)
def test_wrong_rows_are_told(tmp_path: Path, row: str, problem: str) -> None:
    with pytest.raises(DataError, match=problem):
        read_table(write_table(tmp_path, f"path,label\n{row}\n"))


def test_another_encoding_and_a_missing_file_are_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no CSV file in UTF-8"):
        read_table(write_table(tmp_path, "path,label\npictures/0.png,é\n", "latin-1"))
    with pytest.raises(DataError, match="is not a file"):
        read_table(tmp_path / "missing.csv")


def test_a_table_may_call_its_columns_as_it_likes_and_hold_others(tmp_path: Path) -> None:
    table = write_table(tmp_path, "file,age,person,part\npictures/0.png,31,ada,test\n")
    columns = {"path": "file", "label": "person", "split": "part"}
    for images in (
        read_table(table, columns=columns),
        read_images("table", table, columns=columns),
    ):
        assert [(i.key, i.label, i.split) for i in images.items] == [
            ("pictures/0.png", "ada", "test")
        ]
    del columns["split"]
    assert read_table(table, columns=columns).items[0].split is None


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        ({"label": "who"}, "wanted are path, who and"),
        ({"label": "person", "path": "file", "split": "parts"}, "if you like, parts"),
        ({"label": "file", "path": "file"}, "wanted are file, file"),
        ({"lable": "person"}, "no column 'lable' to name; there are path, label, split"),
    ],
)
def test_columns_that_are_not_there_are_refused(
    tmp_path: Path, columns: dict[str, str], problem: str
) -> None:
    table = write_table(tmp_path, "file,person\npictures/0.png,ada\n")
    with pytest.raises(DataError, match=problem):
        read_table(table, columns=columns)
    with pytest.raises(DataError, match='columns are of "table"'):
        read_images("folders", tmp_path, columns=columns)
