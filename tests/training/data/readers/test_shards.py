from __future__ import annotations

import gzip
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tests.training.data.made_images import encoded, keys_and_labels, pixels
from tests.training.made_data import write_tar
from training.data.images import UnreadableImageError
from training.data.readers.shards import read_shards
from training.foundation.errors import DataError


def people(first: int, count: int) -> dict[str, bytes]:
    return {f"p{n}/{n}.png": encoded(pixels(n)) for n in range(first, first + count)}


def test_members_are_labelled_by_their_folder(tmp_path: Path) -> None:
    shard = write_tar(tmp_path / "a.tar", {**people(0, 2), "./p0/9.png": encoded(pixels(9))})
    images = read_shards(shard)
    assert images.name == "a"
    assert keys_and_labels(images) == {"p0/0.png": "p0", "p1/1.png": "p1", "p0/9.png": "p0"}


def test_an_identity_goes_on_in_the_next_shard(tmp_path: Path) -> None:
    write_tar(tmp_path / "t-0.tar", {"ada/0.png": encoded(pixels(0))})
    write_tar(tmp_path / "t-1.tar", {"ada/1.png": encoded(pixels(1))})
    assert read_shards(tmp_path).label_names == ("ada",)
    assert len(read_shards([tmp_path / "t-0.tar", tmp_path / "t-1.tar"])) == 2


def test_one_key_in_two_shards_is_an_error(tmp_path: Path) -> None:
    for name in ("a.tar", "b.tar"):
        write_tar(tmp_path / name, people(0, 1))
    with pytest.raises(DataError, match=r"p0/0\.png.* twice"):
        read_shards(tmp_path)


def test_many_threads_read_the_same_as_one(tmp_path: Path) -> None:
    images = read_shards(write_tar(tmp_path / "a.tar", people(0, 40)))
    with ThreadPoolExecutor(8) as pool:
        pictures = list(pool.map(lambda row: images.items[row].read(), [*range(40)] * 3))
    for place, picture in enumerate(pictures):
        np.testing.assert_array_equal(picture, pixels(place % 40))


def test_without_labels_nobody_is_known(tmp_path: Path) -> None:
    shard = write_tar(tmp_path / "a.tar", {"0.png": encoded(pixels(0))})
    assert keys_and_labels(read_shards(shard, labelled=False)) == {"0.png": None}
    with pytest.raises(DataError, match="lies in no folder"):
        read_shards(shard)


def test_a_compressed_shard_cannot_be_read_at_a_place(tmp_path: Path) -> None:
    shard = write_tar(tmp_path / "a.tar", people(0, 1))
    packed = tmp_path / "a.tar.gz"
    packed.write_bytes(gzip.compress(shard.read_bytes()))
    with pytest.raises(DataError, match="no plain tar file"):
        read_shards(packed)


def test_a_shard_that_shrank_names_the_image(tmp_path: Path) -> None:
    shard = write_tar(tmp_path / "a.tar", people(0, 1))
    images = read_shards(shard)
    shard.write_bytes(shard.read_bytes()[:600])
    with pytest.raises(UnreadableImageError, match=r"^p0/0\.png: .*ends in the middle"):
        images.items[0].read()


def test_nothing_to_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no \.tar"):
        read_shards(tmp_path)
    with pytest.raises(DataError, match="is not a file"):
        read_shards(tmp_path / "missing.tar")
    with pytest.raises(DataError, match="no tar file is named"):
        read_shards([])
    with pytest.raises(DataError, match="no picture in"):
        read_shards(write_tar(tmp_path / "a.tar", {"readme.txt": b"none"}))
