from __future__ import annotations

from pathlib import Path

import pytest

from tests.training.data.made_images import encoded, pixels, write_image
from tests.training.made_data import write_tar
from training.data.readers.lfw import read_lfw, read_lfw_with_pairs
from training.foundation.errors import DataError

FILES = ("Ann_Ash/Ann_Ash_0001.png", "Ann_Ash/Ann_Ash_0002.png", "Bo_Birch/Bo_Birch_0001.png")
PAIRS = "1\t1\nAnn_Ash\t1\t2\nAnn_Ash\t2\tBo_Birch\t1\n"


def write_list(root: Path, text: str = PAIRS) -> Path:
    path = root / "pairs.txt"
    path.write_text(text)
    return path


def test_pairs_are_named_by_keys_and_say_what_is_the_same(tmp_path: Path) -> None:
    for number, file in enumerate(FILES):
        write_image(tmp_path / "lfw" / file, number)
    lfw = read_lfw_with_pairs(tmp_path / "lfw", write_list(tmp_path))
    assert lfw.listed.pairs == ((FILES[0], FILES[1], True), (FILES[1], FILES[2], False))
    assert lfw.listed.folds.tolist() == [0, 0]
    assert lfw.images.label_names == ("Ann_Ash", "Bo_Birch")
    assert {item.split for item in lfw.images.items} == {"test"}


def test_a_tar_file_holds_the_same_people(tmp_path: Path) -> None:
    shard = write_tar(
        tmp_path / "lfw.tar", {file: encoded(pixels(n)) for n, file in enumerate(FILES)}
    )
    assert [item.key for item in read_lfw(shard).items] == list(FILES)


@pytest.mark.parametrize("text", ["", "folds pairs\n", "1 1\nAnn_Ash one two\nAnn_Ash 1 2\n"])
def test_a_list_that_is_none_is_told(tmp_path: Path, text: str) -> None:
    for number, file in enumerate(FILES):
        write_image(tmp_path / "lfw" / file, number)
    with pytest.raises(DataError, match="no list of LFW pairs"):
        read_lfw_with_pairs(tmp_path / "lfw", write_list(tmp_path, text))


def test_a_pair_of_a_missing_image_is_told(tmp_path: Path) -> None:
    write_image(tmp_path / "lfw" / FILES[0], 0)
    with pytest.raises(DataError, match="not among the pictures"):
        read_lfw_with_pairs(tmp_path / "lfw", write_list(tmp_path))
    with pytest.raises(DataError, match=r"none\.txt does not exist"):
        read_lfw_with_pairs(tmp_path / "lfw", tmp_path / "none.txt")
