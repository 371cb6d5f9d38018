from __future__ import annotations

from pathlib import Path

import pytest

from training.data.listed_pairs import read_lfw_pairs
from training.data.populations import read_pools
from training.foundation.errors import DataError

FILES = ("A_B/A_B_0001.jpg", "A_B/A_B_0002.jpg", "C_D/C_D_0001.jpg", "E_F/E_F_0003.jpg")


def test_the_pair_list_is_read_into_rows_and_folds(tmp_path: Path) -> None:
    path = tmp_path / "pairs.txt"
    path.write_text("2\t1\nA_B\t1\t2\nA_B\t2\tC_D\t1\nA_B\t2\t1\nC_D\t1\tE_F\t3\n")
    pairs = read_lfw_pairs(path, FILES)
    assert pairs.rows.tolist() == [[0, 1], [1, 2], [1, 0], [2, 3]]
    assert pairs.same.tolist() == [True, False, True, False]
    assert pairs.folds.tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("2\t1\nA_B\t1\t2\n", "promises"),
        ("1\t1\nA_B\t1\t2\nA_B\t1\tC_D\t9\n", "C_D_0009"),
        ("1\t1\nA_B\t1\t2\nA_B\t1\n", "2 fields"),
    ],
)
def test_a_malformed_pair_list_is_refused(tmp_path: Path, text: str, fact: str) -> None:
    path = tmp_path / "pairs.txt"
    path.write_text(text)
    with pytest.raises(DataError, match=fact):
        read_lfw_pairs(path, FILES)


def test_pools_are_of_one_group_and_gender_and_large_enough(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text(
        "file,gender,group\na,male,north\nb,male,north\nc,female,north\nd,,north\ne,male,\n"
    )
    pools = read_pools(path, ["e", "b", "c", "a", "d"], 2)
    assert [(pool.name, pool.rows.tolist()) for pool in pools] == [("north male", [1, 3])]


def test_attributes_without_a_group_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("file,gender\n")
    with pytest.raises(DataError, match="group"):
        read_pools(path, [], 1)
