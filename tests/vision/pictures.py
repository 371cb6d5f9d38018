"""Pictures for the vision tests, made from nothing."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

import numpy as np
import numpy.typing as npt
from PIL import Image

from app.vision.decode import DecodeLimits, read_photo

Pixels = npt.NDArray[np.uint8]

RED, GREEN, BLUE, YELLOW = (220, 30, 30), (30, 200, 40), (30, 40, 220), (230, 220, 40)


def quarters(width: int = 64, height: int = 48) -> Pixels:
    """Return a picture with four plain quarters, so that each orientation looks different."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2] = RED
    pixels[: height // 2, width // 2 :] = GREEN
    pixels[height // 2 :, : width // 2] = BLUE
    pixels[height // 2 :, width // 2 :] = YELLOW
    return pixels


def smooth_noise(side: int, seed: int = 0, cells: int = 12) -> Pixels:
    """Return a picture without hard edges, in which every place looks different."""
    coarse = np.random.default_rng(seed).integers(20, 235, (cells, cells, 3)).astype(np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC))


def encoded(image: Image.Image | Pixels, photo_format: str, **options: object) -> bytes:
    stream = BytesIO()
    picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
    picture.save(stream, photo_format, **options)
    return stream.getvalue()


def png_header_only(width: int, height: int) -> bytes:
    """Return the first bytes of a PNG that announces this size and holds next to nothing."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(bytes(100)))
        + _chunk(b"IEND", b"")
    )


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum


def original_size(content: bytes, limits: DecodeLimits) -> tuple[int, int]:
    """Return width and height that the upright photo has before any reduction."""
    photo = read_photo(content, limits)
    return photo.width, photo.height
