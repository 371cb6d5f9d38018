"""Reads MNIST and Fashion-MNIST: idx files (LeCun et al. 1998), plain or gzipped."""

from __future__ import annotations

import gzip
import zlib
from functools import partial
from pathlib import Path

import numpy as np

from training.data.decoding import as_rgb
from training.data.images import ImageItem, ImageSet
from training.foundation.arrays import ByteImage
from training.foundation.errors import DataError

#: The files' prefixes and the split that each stands for.
SPLIT_OF_PREFIX = {"train": "train", "t10k": "test"}
_GZIP_MAGIC = b"\x1f\x8b"
_UNSIGNED_BYTES = 0x08


def read_idx(root: Path, *, name: str | None = None) -> ImageSet:
    """Return the images of ``train-images-idx3-ubyte`` and ``t10k-images-idx3-ubyte``, or of one.

    Their labels lie beside them (``train-labels-idx1-ubyte``); names may end in .gz and may have a
    dot before "idx". Keys are ``train/00000``, in the order of the file. Raises ``DataError``
    where no images are found, labels are missing, or a file is not what its header promises. They
    may lie in ``raw``, where torchvision puts them.
    """
    files = idx_folder(root) or root
    items: list[ImageItem] = []
    for prefix, split in SPLIT_OF_PREFIX.items():
        images_path = _find(files, f"{prefix}-images", "idx3-ubyte")
        if images_path is None:
            continue
        labels_path = _find(files, f"{prefix}-labels", "idx1-ubyte")
        if labels_path is None:
            raise DataError(f"{files}: {images_path.name} has no {prefix}-labels-idx1-ubyte")
        images, labels = read_idx_array(images_path, 3), read_idx_array(labels_path, 1)
        if len(images) != len(labels):
            raise DataError(
                f"{images_path} has {len(images)} images, {labels_path.name} {len(labels)} labels"
            )
        items += [
            ImageItem(f"{split}/{row:05d}", str(int(label)), partial(as_rgb, images[row]), split)
            for row, label in enumerate(labels)
        ]
    if not items:
        raise DataError(f"{root} holds no images in train- or t10k-images-idx3-ubyte (or .gz)")
    return ImageSet(name or root.name, tuple(items))


def idx_folder(root: Path) -> Path | None:
    """Return where the idx files below ``root`` are, ``None`` where there are none.

    ``root`` itself, its ``raw``, or a single ``NAME/raw`` in it (torchvision's ``MNIST/raw``).
    Raises ``DataError`` where several data sets are there.
    """
    for places in ([root], [root / "raw"], sorted(root.glob("*/raw"))):
        found = [place for place in places if any(place.glob("*idx3-ubyte*"))]
        if len(found) > 1:
            names = ", ".join(str(place) for place in found)
            raise DataError(f"{root} holds several data sets of idx files, name one: {names}")
        if found:
            return found[0]
    return None


def read_idx_array(path: Path, dimensions: int) -> ByteImage:
    """Return the array of bytes in an idx file.

    Raises ``DataError`` where the magic number, the number of dimensions or the size is wrong.
    """
    content = _content(path)
    header = 4 + 4 * dimensions
    expected = bytes([0, 0, _UNSIGNED_BYTES, dimensions])
    if len(content) < header or content[:4] != expected:
        raise DataError(
            f"{path} starts with {content[:4].hex()}, an idx file of {dimensions} dimensions of "
            f"bytes with {expected.hex()}"
        )
    shape = tuple(int(side) for side in np.frombuffer(content[4:header], ">u4"))
    promised = int(np.prod(shape, dtype=np.int64))
    if len(content) - header != promised:
        raise DataError(
            f"{path} promises {' x '.join(map(str, shape))} bytes and holds {len(content) - header}"
        )
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def _content(path: Path) -> bytes:
    content = path.read_bytes()
    if not content.startswith(_GZIP_MAGIC):
        return content
    try:
        return gzip.decompress(content)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path} cannot be unpacked: {error}") from error


def _find(root: Path, stem: str, kind: str) -> Path | None:
    if not root.is_dir():
        raise DataError(f"{root} is not a folder")
    names = [f"{stem}{joint}{kind}{suffix}" for joint in "-." for suffix in ("", ".gz")]
    return next((root / name for name in names if (root / name).is_file()), None)
