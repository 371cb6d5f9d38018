from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from training.data.readers.idx import read_idx, read_idx_array
from training.data.readers.registry import guess_kind
from training.foundation.errors import DataError


def idx_bytes(array: npt.NDArray[np.uint8]) -> bytes:
    """Write the format down from its description: magic, big-endian sides, bytes."""
    return struct.pack(f">I{array.ndim}I", 0x0800 + array.ndim, *array.shape) + array.tobytes()


def drawings(count: int, seed: int) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (count, 5, 4), dtype=np.uint8)


def write_mnist(root: Path, *, packed: bool = False, joint: str = "-") -> Path:
    for prefix, count in (("train", 3), ("t10k", 2)):
        labels = np.arange(count, dtype=np.uint8) + 7
        for name, array in (
            (f"{prefix}-images{joint}idx3-ubyte", drawings(count, count)),
            (f"{prefix}-labels{joint}idx1-ubyte", labels),
        ):
            content = idx_bytes(array)
            path = root / (f"{name}.gz" if packed else name)
            path.write_bytes(gzip.compress(content) if packed else content)
    return root


@pytest.mark.parametrize(("packed", "joint"), [(False, "-"), (True, "-"), (False, ".")])
def test_images_and_labels_come_in_order(tmp_path: Path, packed: bool, joint: str) -> None:
    images = read_idx(write_mnist(tmp_path, packed=packed, joint=joint))
    assert [(item.key, item.label, item.split) for item in images.items] == [
        ("train/00000", "7", "train"),
        ("train/00001", "8", "train"),
        ("train/00002", "9", "train"),
        ("test/00000", "7", "test"),
        ("test/00001", "8", "test"),
    ]
    picture = images.items[1].read()
    assert picture.shape == (5, 4, 3)
    for channel in range(3):
        np.testing.assert_array_equal(picture[:, :, channel], drawings(3, 3)[1])


def test_a_wrong_magic_number_is_told(tmp_path: Path) -> None:
    path = tmp_path / "labels"
    path.write_bytes(idx_bytes(np.zeros(3, np.uint8)))
    with pytest.raises(DataError, match=r"starts with 00000801, .* with 00000803"):
        read_idx_array(path, 3)
    path.write_bytes(b"\x00\x00")
    with pytest.raises(DataError, match="starts with 0000,"):
        read_idx_array(path, 1)


@pytest.mark.parametrize("change", [-1, 1])
def test_a_wrong_size_is_told(tmp_path: Path, change: int) -> None:
    path = tmp_path / "images"
    content = idx_bytes(drawings(3, 0))
    path.write_bytes(content[:change] if change < 0 else content + b"x")
    with pytest.raises(DataError, match=f"promises 3 x 5 x 4 bytes and holds {60 + change}"):
        read_idx_array(path, 3)


def test_a_broken_archive_is_told(tmp_path: Path) -> None:
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(idx_bytes(drawings(3, 0)))[:40])
    with pytest.raises(DataError, match="cannot be unpacked"):
        read_idx_array(path, 3)


def test_labels_must_be_there_and_as_many(tmp_path: Path) -> None:
    write_mnist(tmp_path)
    labels = tmp_path / "train-labels-idx1-ubyte"
    labels.write_bytes(idx_bytes(np.zeros(4, np.uint8)))
    with pytest.raises(DataError, match=r"has 3 images, .* 4 labels"):
        read_idx(tmp_path)
    labels.unlink()
    with pytest.raises(DataError, match="has no train-labels-idx1-ubyte"):
        read_idx(tmp_path)


def test_a_folder_without_idx_files_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no images"):
        read_idx(tmp_path)


@pytest.mark.parametrize("place", ["raw", "MNIST/raw"])
def test_files_are_found_where_torchvision_puts_them(tmp_path: Path, place: str) -> None:
    (tmp_path / place).mkdir(parents=True)
    write_mnist(tmp_path / place, packed=True)
    assert guess_kind(tmp_path) == "idx"
    assert len(read_idx(tmp_path)) == 5
    if place != "raw":
        (tmp_path / "FashionMNIST/raw").mkdir(parents=True)
        write_mnist(tmp_path / "FashionMNIST/raw")
        with pytest.raises(DataError, match=r"several data sets .*FashionMNIST/raw.*MNIST/raw"):
            read_idx(tmp_path)
