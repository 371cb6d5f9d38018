from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.training.data.made_images import encoded, pixels, write_identities, write_image
from tests.training.data.readers.test_celeba import write_celeba
from tests.training.data.readers.test_idx import write_mnist
from tests.training.data.readers.test_stem_pairs import write_pairs
from tests.training.data.readers.test_table import write_table
from tests.training.made_data import write_tar
from training.data.images import combine_sets
from training.data.readers.registry import KINDS, ImageKind, guess_kind, read_images
from training.foundation.errors import DataError


def write_kind(root: Path, kind: ImageKind) -> Path | None:
    """Write a small set of a kind, return its path."""
    root.mkdir()
    members = {"ada/0.png": encoded(pixels(0)), "ada/1.png": encoded(pixels(1))}
    write: dict[ImageKind, Callable[[], Path | None]] = {
        "folders": lambda: write_identities(root, {"ada": 2, "bob": 1}),
        "lfw": lambda: write_identities(root, {"ada": 2, "bob": 1}),
        "split_folders": lambda: write_identities(root, {"train/ada": 2, "val/bob": 1}),
        "pictures": lambda: write_image(root / "a.png", 1).parent,
        "shards": lambda: write_tar(root / "a.tar", members),
        "unlabelled_shards": lambda: write_tar(root / "a.tar", members),
        "stem_pairs": lambda: write_pairs(root, ["1.png"], ["1.png"]),
        "idx": lambda: write_mnist(root),
        "omniglot": lambda: write_identities(root, {"images_background/Greek/c1": 2}),
        "celeba": lambda: write_celeba(root),
        "table": lambda: write_table(root, "path,label\npictures/0.png,ada\n"),
        "digits": lambda: None,
    }
    return write[kind]()


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_read_under_the_name_that_is_wanted(tmp_path: Path, kind: ImageKind) -> None:
    images = read_images(kind, write_kind(tmp_path / "set", kind), name="mine")
    assert images.name == "mine"
    assert images.items[0].read().shape[2] == 3


@pytest.mark.parametrize("kind", [k for k in KINDS if k not in ("lfw", "unlabelled_shards")])
def test_a_kind_is_guessed_from_what_lies_there(tmp_path: Path, kind: ImageKind) -> None:
    assert guess_kind(write_kind(tmp_path / "set", kind)) == kind


def test_sets_of_several_kinds_combine_into_one(tmp_path: Path) -> None:
    kinds: list[ImageKind] = ["folders", "shards", "digits"]
    both = combine_sets(read_images(k, write_kind(tmp_path / k, k), name=k) for k in kinds)
    assert len(both) == 3 + 2 + 1797
    assert {"folders/ada", "shards/ada", "digits/7"} <= set(both.label_names)


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no kind of images 'mnist'; known: folders"):
        read_images("mnist", tmp_path)
    with pytest.raises(DataError, match="'idx' need a path"):
        read_images("idx")
    with pytest.raises(DataError, match="does not exist"):
        read_images("folders", tmp_path / "missing")
    with pytest.raises(DataError, match="come with scikit-learn"):
        read_images("digits", tmp_path)
