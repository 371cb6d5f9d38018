from __future__ import annotations

from pathlib import Path

import pytest

from tests.training.data.made_images import write_identities, write_image
from training.data.readers.omniglot import read_omniglot
from training.foundation.errors import DataError


def test_characters_of_one_name_in_two_alphabets_are_two(tmp_path: Path) -> None:
    root = write_identities(
        tmp_path,
        {
            "images_background/Greek/character01": 2,
            "images_background/Latin/character01": 2,
            "images_evaluation/Tengwar/character01": 1,
        },
    )
    images = read_omniglot(root)
    assert images.label_names == ("Greek/character01", "Latin/character01", "Tengwar/character01")
    assert {item.split for item in images.items} == {"train", "test"}
    assert images.of_split("test").items[0].key == "images_evaluation/Tengwar/character01/0.png"


def test_one_part_alone_is_enough(tmp_path: Path) -> None:
    images = read_omniglot(write_identities(tmp_path, {"images_evaluation/Greek/c1": 2}))
    assert {item.split for item in images.items} == {"test"}


def test_other_shapes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="neither images_background nor images_evaluation"):
        read_omniglot(tmp_path)
    write_image(tmp_path / "images_background" / "Greek" / "loose.png", 1)
    with pytest.raises(DataError, match=r"loose\.png lies elsewhere"):
        read_omniglot(tmp_path)
