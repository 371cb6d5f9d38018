"""From a photo's bytes to an upright RGB picture, with the cost bounded before it is paid."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image

from app.domain.errors import (
    PhotoError,
    PhotoTooManyBytesError,
    PhotoTooManyPixelsError,
    UndecodablePhotoError,
    UnsupportedPhotoTypeError,
)
from app.domain.faces import Picture


@dataclass(frozen=True)
class DecodeLimits:
    """What a photo may cost.

    ``max_pixels`` is what the header may announce: with alpha and copies it is up to 16 bytes each.
    ``max_scans`` is how often a progressive JPEG may go over all of it: each pass costs the same
    however few bytes it has, and files of cameras and editors have about ten. Pictures whose
    longest side is above ``max_side`` are reduced to it; ``upright_size`` tells the original's.
    """

    max_bytes: int = 10 * 2**20
    max_pixels: int = 25_000_000
    max_side: int = 4096
    max_scans: int = 100


def decode_photo(content: bytes, limits: DecodeLimits) -> Picture:
    """Return the upright RGB picture of a JPEG, PNG, WebP or BMP file.

    Byte count, type and pixel count are checked in this order, before anything is decoded. EXIF
    orientation is applied; transparency is laid over white; of an animation the first frame
    counts. Raises the ``PhotoError`` that applies.
    """
    if len(content) > limits.max_bytes:
        raise PhotoTooManyBytesError(
            f"the photo has {len(content)} bytes, at most {limits.max_bytes} are accepted"
        )
    with _opened(content, limits.max_pixels) as photo:
        if photo.format == "JPEG":
            _require_few_scans(content, limits.max_scans)
        # The JPEG decoder can skip detail by powers of two; never so far that faces suffer.
        photo.draft(None, _fitted(photo.size, limits.max_side * 3 // 4))
        photo.load()
        orientation = _orientation(photo)
        rgb = _as_rgb(_reduced(photo, limits.max_side))
        upright = _TO_UPRIGHT.get(orientation)
        return np.array(rgb if upright is None else rgb.transpose(upright), dtype=np.uint8)


def upright_size(content: bytes, limits: DecodeLimits) -> tuple[int, int]:
    """Return width and height of the upright photo before any reduction; nothing is decoded.

    Raises the ``PhotoError`` that applies.
    """
    with _opened(content, limits.max_pixels) as photo:
        width, height = photo.size
        return (height, width) if _orientation(photo) in _ON_ITS_SIDE else (width, height)


def sniff_format(content: bytes) -> str:
    """Return Pillow's name of the file's format by its first bytes.

    Raises ``UnsupportedPhotoTypeError`` for everything but JPEG, PNG, WebP and BMP.
    """
    if content.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "WEBP"
    # Two letters alone are weak evidence: the reserved field behind them and the size must fit too.
    if content.startswith(b"BM") and content[6:10] == bytes(4) and len(content) >= 26:
        return "BMP"
    raise UnsupportedPhotoTypeError("the photo is not a JPEG, PNG, WebP or BMP file")


@contextmanager
def _opened(content: bytes, max_pixels: int) -> Iterator[Image.Image]:
    """Open a photo by its header; whatever Pillow raises inside becomes a ``PhotoError``."""
    photo_format = sniff_format(content)
    try:
        with _silence():
            photo = Image.open(BytesIO(content), formats=[photo_format])
        with photo:
            width, height = photo.size
            if width * height > max_pixels:
                raise PhotoTooManyPixelsError(_too_many(f"{width} x {height}", max_pixels))
            yield photo
    except (PhotoError, MemoryError):
        raise
    except Image.DecompressionBombError as error:
        raise PhotoTooManyPixelsError(_too_many("far too many", max_pixels)) from error
    except Exception as error:  # Pillow's plugins raise whatever a broken file leads them to
        raise UndecodablePhotoError(
            f"the photo starts like {photo_format} and does not decode"
        ) from error


def _require_few_scans(content: bytes, max_scans: int) -> None:
    """Raise ``UndecodablePhotoError`` where a JPEG starts more scans than any honest file.

    Entropy-coded data never holds this marker (ITU-T T.81, B.1.1.5), metadata hardly ever.
    """
    scans = content.count(b"\xff\xda")
    if scans > max_scans:
        raise UndecodablePhotoError(f"the photo has {scans} scans, at most {max_scans} are decoded")


def _too_many(size: str, max_pixels: int) -> str:
    return f"the photo has {size} pixels, at most {max_pixels} are accepted"


_warnings_lock = threading.Lock()


@contextmanager
def _silence() -> Iterator[None]:
    """Keep Pillow's warnings of bombs and broken metadata in; the limits here are our own.

    Warning filters belong to the process, hence the lock: it covers headers only, not decoding.
    """
    with _warnings_lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _fitted(size: tuple[int, int], max_side: int) -> tuple[int, int]:
    scale = min(1.0, max_side / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _reduced(photo: Image.Image, max_side: int) -> Image.Image:
    size = _fitted(photo.size, max_side)
    if size == photo.size:
        return photo
    if photo.mode in ("P", "PA", "1"):  # an index cannot be averaged
        photo = photo.convert("RGBA" if photo.has_transparency_data else "RGB")
    return photo.resize(size, Image.Resampling.BOX)


_ORIENTATION_TAG = 0x0112
_ON_ITS_SIDE = (5, 6, 7, 8)
_TO_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _orientation(photo: Image.Image) -> int:
    try:
        with _silence():
            return int(photo.getexif().get(_ORIENTATION_TAG, 1))
    except Exception:  # broken metadata does not make the pixels unusable
        return 1


def _as_rgb(photo: Image.Image) -> Image.Image:
    """Return the photo in RGB, whatever its mode; transparency is laid over white."""
    if photo.mode.startswith(("I", "F")):
        return _from_deep_grey(photo)
    if photo.has_transparency_data:
        layered = photo.convert("RGBA")
        white = Image.new("RGBA", layered.size, "white")
        return Image.alpha_composite(white, layered).convert("RGB")
    return photo if photo.mode == "RGB" else photo.convert("RGB")


def _from_deep_grey(photo: Image.Image) -> Image.Image:
    """Return 16-bit grey in 8 bits; Pillow's own conversion clips instead of scaling."""
    deep = np.asarray(photo).astype(np.float32)
    shallow = np.clip(np.round(deep / 257), 0, 255).astype(np.uint8)
    return Image.fromarray(shallow).convert("RGB")
