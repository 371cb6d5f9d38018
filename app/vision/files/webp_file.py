"""WebP: its chunks walked and bounded, its picture (of an animation the first) decoded."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt

from app.domain.photo_errors import PhotoCutError, UndecodablePhotoError
from app.vision.files.orientation import exif_orientation, xmp_orientation
from app.vision.files.photo_file import DecodeLimits, PhotoFile, PhotoFormat, require_bounded

MAX_CHUNKS = 4_096
_ALPHA, _ANIMATION = 0x10, 0x02
_PICTURES = (b"VP8 ", b"VP8L", b"ANMF")


def examine_webp(content: bytes, limits: DecodeLimits) -> PhotoFile:
    """Return a WebP's first picture alone.

    Raises ``PhotoCutError``, ``PhotoTooManyPixelsError`` or ``UndecodablePhotoError``.
    """
    extended: bytes | None = None
    kept: list[bytes] = []
    picture: tuple[bytes, bytes] | None = None
    exif: int | None = None
    xmp: int | None = None
    for kind, body, is_whole in _chunks(content):
        if kind == b"VP8X" and extended is None and picture is None:
            extended = body
        elif kind in (b"ANIM", b"ALPH", *_PICTURES) and picture is None:
            if not is_whole:
                raise PhotoCutError("the file ends within its picture")
            kept.append(_chunk(kind, body))
            if kind in _PICTURES:
                picture = (kind, body)
        elif kind == b"EXIF":
            exif = exif or exif_orientation(body)
        elif kind == b"XMP ":
            xmp = xmp or xmp_orientation(body)
    if picture is None:
        raise PhotoCutError("the file ends before its picture begins")
    width, height, has_alpha = _size(extended, *picture)
    unpacked = width * height * (4 if has_alpha else 3)
    require_bounded(width, height, unpacked, limits, limits.max_webp_pixels)
    if extended is not None:
        flags = bytes((extended[0] & (_ALPHA | _ANIMATION),))
        kept.insert(0, _chunk(b"VP8X", flags + extended[1:10]))
    riff = b"WEBP" + b"".join(kept)
    alone = b"RIFF" + struct.pack("<I", len(riff)) + riff
    return PhotoFile(PhotoFormat.WEBP, width, height, alone, exif or xmp or 1)


def decode_webp(photo: PhotoFile) -> npt.NDArray[np.uint8]:
    """Return the picture in RGB or RGBA ``(H, W, C)``; raises ``UndecodablePhotoError``."""
    pixels = cv2.imdecode(np.frombuffer(photo.content, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint8 or pixels.ndim != 3:
        raise UndecodablePhotoError("the WebP does not decode")
    code = cv2.COLOR_BGRA2RGBA if pixels.shape[2] == 4 else cv2.COLOR_BGR2RGB
    return cv2.cvtColor(pixels, code, dst=pixels).astype(np.uint8, copy=False)


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes, bool]]:
    """Yield kind and body of each chunk, and whether all of it is there."""
    position = 12
    for _ in range(MAX_CHUNKS):
        if position + 8 > len(content):
            return
        kind, length = struct.unpack_from("<4sI", content, position)
        start = position + 8
        yield kind, content[start : start + length], start + length <= len(content)
        position = start + length + length % 2
    raise UndecodablePhotoError(f"the WebP has more than {MAX_CHUNKS} chunks")


def _chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)


def _size(extended: bytes | None, kind: bytes, body: bytes) -> tuple[int, int, bool]:
    """Return width, height and whether there is alpha, by the outermost header that tells."""
    if extended is not None:
        if len(extended) < 10:
            raise UndecodablePhotoError("the WebP's header is cut")
        width = int.from_bytes(extended[4:7], "little") + 1
        height = int.from_bytes(extended[7:10], "little") + 1
        return width, height, bool(extended[0] & (_ALPHA | _ANIMATION))
    if kind == b"VP8 " and len(body) >= 10 and body[3:6] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", body, 6)
        return width & 0x3FFF, height & 0x3FFF, False
    if kind == b"VP8L" and len(body) >= 5 and body[0] == 0x2F:
        (bits,) = struct.unpack_from("<I", body, 1)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, bool(bits >> 28 & 1)
    raise UndecodablePhotoError("the WebP's picture has no header")
