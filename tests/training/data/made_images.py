"""Small image files that the tests of data make themselves."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from training.data.images import ImageItem, ImageSet

Pixels = npt.NDArray[np.uint8]


def pixels(seed: int, height: int = 20, width: int = 20) -> Pixels:
    """Return a smooth colour picture that looks different for every seed."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(smooth, np.uint8)


def encoded(picture: Pixels, file_format: str = "PNG") -> bytes:
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, file_format)
    return stream.getvalue()


def write_image(path: Path, seed: int, file_format: str = "PNG") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encoded(pixels(seed), file_format))
    return path


def write_identities(root: Path, images_of: dict[str, int]) -> Path:
    """Write ``<identity>/<n>.png``; identities may be paths of several folders."""
    for position, (identity, count) in enumerate(images_of.items()):
        for number in range(count):
            write_image(root / identity / f"{number}.png", 100 * position + number)
    return root


def image_set(pictures: list[tuple[str | None, Pixels]]) -> ImageSet:
    """Return pictures in memory as a set with keys "0", "1" and so on."""
    items = [
        ImageItem(str(number), label, lambda picture=picture: picture)
        for number, (label, picture) in enumerate(pictures)
    ]
    return ImageSet("made", tuple(items))


def keys_and_labels(images: ImageSet) -> dict[str, str | None]:
    return {item.key: item.label for item in images.items}
