from __future__ import annotations

from pathlib import Path

import pytest

from tests.training.data.made_images import keys_and_labels, write_image
from training.data.readers.stem_pairs import read_stem_pairs, unpaired_stems
from training.foundation.errors import DataError


def write_pairs(root: Path, left: list[str], right: list[str]) -> Path:
    for side, names in (("left", left), ("right", right)):
        for number, name in enumerate(names):
            file_format = "JPEG" if name.endswith("jpg") else "PNG"
            write_image(root / side / name, number, file_format)
    return root


def test_a_stem_is_an_identity_with_two_images(tmp_path: Path) -> None:
    images = read_stem_pairs(write_pairs(tmp_path, ["1.jpg", "2.jpg"], ["2.png", "1.jpg"]))
    assert keys_and_labels(images) == {
        "left/1.jpg": "1",
        "right/1.jpg": "1",
        "left/2.jpg": "2",
        "right/2.png": "2",
    }


def test_leftovers_are_named_in_an_error(tmp_path: Path) -> None:
    root = write_pairs(tmp_path, ["1.png", "2.png"], ["1.png", "3.png"])
    with pytest.raises(DataError, match=r"2 pictures without a partner.*: left/2, right/3"):
        read_stem_pairs(root)


def test_leftovers_can_be_left_out_and_listed(tmp_path: Path) -> None:
    root = write_pairs(tmp_path, ["1.png", "2.png"], ["1.png", "3.png"])
    assert read_stem_pairs(root, leftovers="leave_out").label_names == ("1",)
    assert unpaired_stems(root) == ("left/2", "right/3")


def test_two_files_of_one_stem_are_an_error(tmp_path: Path) -> None:
    root = write_pairs(tmp_path, ["1.png", "1.jpg"], ["1.png"])
    with pytest.raises(DataError, match=r"1\.jpg and 1\.png: one stem"):
        read_stem_pairs(root)


def test_no_common_stem_and_no_folder_are_errors(tmp_path: Path) -> None:
    root = write_pairs(tmp_path, ["1.png"], ["2.png"])
    with pytest.raises(DataError, match="no filename stem in common"):
        read_stem_pairs(root, leftovers="leave_out")
    with pytest.raises(DataError, match="is not a folder"):
        read_stem_pairs(root, left="port")
