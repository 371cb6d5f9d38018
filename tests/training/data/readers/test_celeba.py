from __future__ import annotations

from pathlib import Path

import pytest

from tests.training.data.made_images import write_image
from training.data.crops import DataError
from training.data.readers.celeba import IDENTITY_FILE, IMAGE_FOLDER, PARTITION_FILE, read_celeba

IDENTITIES = "000001.png 2880\n000002.png 17\n000003.png 2880\n000004.png 9\n"
PARTITION = "000001.png 0\n000002.png 1\n000003.png 0\n000004.png 2\n"


def write_celeba(root: Path, identities: str = IDENTITIES, partition: str = PARTITION) -> Path:
    for number in range(1, 5):
        write_image(root / IMAGE_FOLDER / f"{number:06d}.png", number)
    (root / IDENTITY_FILE).write_text(identities)
    (root / PARTITION_FILE).write_text(partition)
    return root


def test_identity_and_part_come_from_the_official_files(tmp_path: Path) -> None:
    images = read_celeba(write_celeba(tmp_path))
    assert [(item.key, item.label, item.split) for item in images.items] == [
        ("000001.png", "2880", "train"),
        ("000002.png", "17", "validation"),
        ("000003.png", "2880", "train"),
        ("000004.png", "9", "test"),
    ]
    assert images.items[0].read().shape == (20, 20, 3)


def test_an_identity_file_that_names_a_missing_image_is_refused(tmp_path: Path) -> None:
    root = write_celeba(tmp_path, IDENTITIES + "000005.png 17\n")
    with pytest.raises(DataError, match=r"not in img_align_celeba, such as 000005\.png"):
        read_celeba(root)


def test_an_image_of_nobody_is_refused(tmp_path: Path) -> None:
    root = write_celeba(tmp_path, IDENTITIES.replace("000004.png 9\n", ""))
    with pytest.raises(DataError, match=r"not in identity_CelebA\.txt, such as 000004\.png"):
        read_celeba(root)


def test_an_image_of_no_part_is_refused(tmp_path: Path) -> None:
    root = write_celeba(tmp_path, partition=PARTITION.replace("000002.png 1\n", ""))
    with pytest.raises(DataError, match=r"not in list_eval_partition\.txt, such as 000002\.png"):
        read_celeba(root)


@pytest.mark.parametrize("missing", [IDENTITY_FILE, PARTITION_FILE])
def test_a_missing_file_is_named(tmp_path: Path, missing: str) -> None:
    root = write_celeba(tmp_path)
    (root / missing).unlink()
    with pytest.raises(DataError, match=f"holds no {missing}"):
        read_celeba(root)


@pytest.mark.parametrize("bad", ["000001.png\n", "000001.png 1 2\n", IDENTITIES + IDENTITIES])
def test_a_malformed_line_is_named(tmp_path: Path, bad: str) -> None:
    with pytest.raises(DataError, match=r"identity_CelebA\.txt, line [15]: "):
        read_celeba(write_celeba(tmp_path, bad))


def test_an_unknown_part_and_an_empty_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="a part '3'"):
        read_celeba(write_celeba(tmp_path, partition=PARTITION.replace("4.png 2", "4.png 3")))
    with pytest.raises(DataError, match="is empty"):
        read_celeba(write_celeba(tmp_path, partition=""))
    with pytest.raises(DataError, match="holds no folder"):
        read_celeba(tmp_path / IMAGE_FOLDER)
