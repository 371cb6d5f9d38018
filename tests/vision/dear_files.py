"""Files that are accepted at the service's default limits and cost as much as they can."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image

from tests.vision.hostile_files import dear_png, more_scans, run_length_bmp
from tests.vision.pictures import encoded

SQUARE = (6_143, 6_143)  # the longest side that is decoded whole and then reduced
LONG = (8_000, 5_000)


def _noisy(
    size: tuple[int, int], cell: int, how: Image.Resampling = Image.Resampling.BILINEAR
) -> Image.Image:
    """Return a picture whose detail, and so whose bytes, grow as ``cell`` shrinks."""
    width, height = size
    coarse = np.random.default_rng(0).integers(0, 256, (height // cell, width // cell, 3))
    return Image.fromarray(coarse.astype(np.uint8)).resize(size, how)


def _emptied_scans(size: tuple[int, int], count: int) -> bytes:
    plain = Image.new("RGB", size, (90, 120, 60))
    return more_scans(encoded(plain, "JPEG", progressive=True, quality=50), count)


def _runs(width: int, height: int) -> bytes:
    """Return a BMP of runs of eight pixels."""
    rows = np.full((height, 2 * (width // 8) + 2), 8, np.uint8)
    rows[:, 1::2] = np.random.default_rng(0).integers(0, 16, rows[:, 1::2].shape)
    rows[:, -2:] = 0
    palette = np.random.default_rng(1).integers(0, 256, (16, 3)).astype(np.uint8)
    return run_length_bmp(rows.tobytes() + b"\0\1", width, height, palette)


def _layered(size: tuple[int, int], cell: int) -> Image.Image:
    picture = _noisy(size, cell).convert("RGBA")
    picture.putalpha(Image.new("L", size, 128))
    return picture


MAKERS: dict[str, Callable[[], bytes]] = {
    "jpeg square": lambda: encoded(_noisy(SQUARE, 18), "JPEG", quality=88, subsampling=0),
    "jpeg long": lambda: encoded(_noisy(LONG, 18), "JPEG", quality=88, subsampling=0),
    "jpeg of one colour": lambda: encoded(Image.new("RGB", SQUARE), "JPEG", subsampling=0),
    "progressive square": lambda: encoded(
        _noisy(SQUARE, 12), "JPEG", quality=85, subsampling=0, progressive=True
    ),
    "progressive long": lambda: encoded(
        _noisy(LONG, 14), "JPEG", quality=85, subsampling=0, progressive=True
    ),
    "empty scans": lambda: _emptied_scans((3_000, 3_000), 48),
    "cmyk": lambda: encoded(_noisy((6_000, 4_990), 24).convert("CMYK"), "JPEG", quality=85),
    "png": lambda: dear_png(*SQUARE, 8, 2, 4),
    "png with alpha": lambda: dear_png(6_000, 4_900, 8, 6, 4),
    "png of averages": lambda: dear_png(*SQUARE, 8, 2, 3),
    "png palette": lambda: dear_png(*SQUARE, 8, 3, 4),
    "png bits": lambda: dear_png(*SQUARE, 1, 0, 4),
    "deep grey png": lambda: dear_png(*SQUARE, 16, 0, 4),
    "deep png": lambda: dear_png(5_000, 3_990, 16, 2, 4),
    "deep png with alpha": lambda: dear_png(5_000, 2_990, 16, 6, 4),
    "webp": lambda: encoded(_noisy((4_400, 4_500), 5), "WEBP", quality=80, method=0),
    "lossless webp": lambda: encoded(
        _noisy((4_400, 4_500), 5, Image.Resampling.NEAREST),
        "WEBP",
        lossless=True,
        quality=0,
        method=0,
    ),
    "webp with alpha": lambda: encoded(_layered((4_400, 4_500), 8), "WEBP", quality=80, method=0),
    "bmp runs": lambda: _runs(8_000, 4_990),
    "avif": lambda: encoded(_noisy((4_000, 3_100), 4), "AVIF", speed=10, quality=85),
    "avif of all colours": lambda: encoded(
        _noisy((4_000, 3_100), 4), "AVIF", speed=10, quality=75, subsampling="4:4:4"
    ),
    "avif with alpha": lambda: encoded(_layered((2_900, 2_100), 4), "AVIF", speed=10, quality=80),
}


def dear_files() -> Iterator[tuple[str, bytes]]:
    """Yield each kind of dear file, made when it is asked for."""
    for name, make in MAKERS.items():
        yield name, make()
