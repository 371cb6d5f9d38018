from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.training.data.made_images import keys_and_labels, pixels, write_identities, write_image
from training.data.images import UnreadableImageError
from training.data.readers.folders import read_folders, read_pictures
from training.foundation.errors import DataError


def test_a_folder_is_an_identity_and_its_files_are_its_images(tmp_path: Path) -> None:
    images = read_folders(write_identities(tmp_path / "set", {"ada": 2, "bob": 1}))
    assert images.name == "set"
    assert keys_and_labels(images) == {"ada/0.png": "ada", "ada/1.png": "ada", "bob/0.png": "bob"}
    np.testing.assert_array_equal(images.items[1].read(), pixels(1))


def test_splits_come_from_the_first_folder_under_one_name(tmp_path: Path) -> None:
    root = write_identities(tmp_path, {"train/ada": 1, "val/bob": 1, "test/cy": 1})
    images = read_folders(root, splits=True)
    assert {item.label: item.split for item in images.items} == {
        "ada": "train",
        "bob": "validation",
        "cy": "test",
    }


def test_hidden_files_and_other_files_are_no_images(tmp_path: Path) -> None:
    root = write_identities(tmp_path, {"ada": 1})
    (root / "ada" / "._0.png").write_bytes(b"left by another system")
    (root / "ada" / "notes.txt").write_text("blue")
    (root / ".cache").mkdir()
    assert len(read_folders(root)) == 1


def test_an_identity_without_images_is_named(tmp_path: Path) -> None:
    root = write_identities(tmp_path, {"ada": 2})
    (root / "nobody").mkdir()
    with pytest.raises(DataError, match="without a picture: nobody"):
        read_folders(root)


@pytest.mark.parametrize(("place", "splits"), [("loose.png", False), ("a/b/c.png", False)])
def test_a_picture_outside_of_the_shape_is_named(tmp_path: Path, place: str, splits: bool) -> None:
    root = write_identities(tmp_path, {"ada": 2})
    write_image(root / place, 9)
    with pytest.raises(DataError, match=f"{place} lies elsewhere"):
        read_folders(root, splits=splits)


def test_folders_without_splits_are_not_read_as_splits(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="elsewhere than <split>/<identity>/<file>"):
        read_folders(write_identities(tmp_path, {"ada": 2}), splits=True)


def test_an_empty_or_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no picture"):
        read_folders(tmp_path)
    with pytest.raises(DataError, match="is not a folder"):
        read_folders(tmp_path / "missing")


def test_loose_pictures_have_no_identity(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", 1)
    write_image(tmp_path / "deep" / "er" / "b.bmp", 2, "BMP")
    assert keys_and_labels(read_pictures(tmp_path)) == {"a.png": None, "deep/er/b.bmp": None}


def test_a_broken_file_says_so_when_it_is_read(tmp_path: Path) -> None:
    root = write_identities(tmp_path, {"ada": 1})
    (root / "ada" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nand nothing else")
    images = read_folders(root)
    with pytest.raises(UnreadableImageError, match=r"^ada/broken\.png: .*the file ends"):
        images.items[1].read()


def test_a_file_that_vanished_says_so_when_it_is_read(tmp_path: Path) -> None:
    images = read_folders(write_identities(tmp_path, {"ada": 1}))
    (tmp_path / "ada" / "0.png").unlink()
    with pytest.raises(UnreadableImageError, match=r"^ada/0\.png: No such file"):
        images.items[0].read()
