from __future__ import annotations

from pathlib import Path

import pytest

from tests.training.data.made_images import write_image
from training.data.readers.celeba import (
    IDENTITY_FILES,
    IMAGE_FOLDER,
    PARTITION_FILES,
    read_celeba,
)
from training.data.readers.registry import guess_kind
from training.foundation.errors import DataError

IDENTITIES = "000001.png 2880\n000002.png 17\n000003.png 2880\n000004.png 9\n"
PARTITION = "000001.png 0\n000002.png 1\n000003.png 0\n000004.png 2\n"


(IDENTITY_FILE, IDENTITY_CSV), (PARTITION_FILE, PARTITION_CSV) = IDENTITY_FILES, PARTITION_FILES


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


def as_csv(listing: str, header: str = "") -> str:
    return header + listing.replace(" ", ",")


@pytest.mark.parametrize("identity_form", ["txt", "csv", "csv with names"])
@pytest.mark.parametrize("partition_form", ["txt", "csv", "csv with names"])
@pytest.mark.parametrize("nested", [False, True])
def test_kaggles_forms_say_the_same(
    tmp_path: Path, identity_form: str, partition_form: str, nested: bool
) -> None:
    expected = [(i.key, i.label, i.split) for i in read_celeba(write_celeba(tmp_path / "a")).items]
    root = write_celeba(tmp_path / "b")
    for form, text, names, listing, header in (
        (identity_form, IDENTITY_FILE, IDENTITY_CSV, IDENTITIES, "image_id,identity\r\n"),
        (partition_form, PARTITION_FILE, PARTITION_CSV, PARTITION, "image_id,partition\r\n"),
    ):
        if form != "txt":
            (root / text).unlink()
            content = as_csv(listing, header if form == "csv with names" else "")
            (root / names).write_text(content, encoding="utf-8-sig")
    if nested:
        (root / IMAGE_FOLDER).rename(root / "inner")
        (root / IMAGE_FOLDER).mkdir()
        (root / "inner").rename(root / IMAGE_FOLDER / IMAGE_FOLDER)
    images = read_celeba(root)
    assert [(item.key, item.label, item.split) for item in images.items] == expected
    assert images.items[3].read().shape == (20, 20, 3)
    assert guess_kind(root) == "celeba"


def test_the_authors_own_file_goes_before_a_csv(tmp_path: Path) -> None:
    root = write_celeba(tmp_path)
    (root / IDENTITY_CSV).write_text("image_id,identity\n000001.png,1\n")
    assert read_celeba(root).items[0].label == "2880"


@pytest.mark.parametrize(
    ("listing", "message"),
    [
        ("000001.png,2880,1\n", "line 1: not one file"),
        ("image_id,identity\n000001.png\n", "line 2: not one file"),
        ("image_id,identity\n000001.png 2880\n", "line 2: not one file"),
        ("image_id,identity\n000001.png,1\n\n000001.png,2\n", "line 4: not one file"),
        ("image_id,identity\n", "is empty"),
        ('image_id,identity\n"000001.png,1\n', "cannot be read"),
        (
            as_csv(IDENTITIES, "image_id,identity\n").replace("000004.png,9\n", ""),
            "not in .*csv, s",
        ),
        (as_csv(IDENTITIES).replace("000001.png,2880\n", ""), r"not in .*csv, such as 000001\.png"),
    ],
)
def test_a_malformed_csv_is_named(tmp_path: Path, listing: str, message: str) -> None:
    root = write_celeba(tmp_path)
    (root / IDENTITY_FILE).unlink()
    (root / IDENTITY_CSV).write_text(listing)
    with pytest.raises(DataError, match=message):
        read_celeba(root)


def test_a_missing_list_is_told_in_both_forms(tmp_path: Path) -> None:
    root = write_celeba(tmp_path)
    (root / PARTITION_FILE).unlink()
    with pytest.raises(DataError, match=r"list_eval_partition\.txt or list_eval_partition\.csv"):
        read_celeba(root)


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
