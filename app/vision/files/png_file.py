"""PNG: its chunks walked and bounded, its picture decoded without what else the file holds."""

from __future__ import annotations

import binascii
import struct
import zlib
from collections.abc import Iterator
from io import BytesIO

import cv2
import numpy as np
import numpy.typing as npt
from PIL.PngImagePlugin import PngImageFile

from app.domain.photo_errors import PhotoCutError, UndecodablePhotoError
from app.vision.files.orientation import exif_orientation, xmp_orientation
from app.vision.files.photo_file import DecodeLimits, PhotoFile, PhotoFormat, require_bounded

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_CHUNKS = 16_384  # 10 MB in chunks of 8 KB, as libpng writes them, are 1,300
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_DEEP = 16
_TRUE_COLOURS = (2, 6)
_IMAGEMAGICK = (b"Raw profile type exif\0", b"Raw profile type APP1\0")
_MAX_PROFILES = 2
_MAX_PROFILE_BYTES = 65_536  # the directory that tells the orientation stands at the beginning
_BEFORE_PICTURE = 33 + 12 + 768 + 12 + 256  # of a file with nothing but palette and transparency


def examine_png(content: bytes, limits: DecodeLimits) -> PhotoFile:
    """Return a PNG's still picture alone; an animation is left out.

    Raises ``PhotoCutError``, ``PhotoTooManyPixelsError`` or ``UndecodablePhotoError``.
    """
    width, height, header = _read_header(content, limits)
    kept: list[bytes] = [SIGNATURE, header]
    orientation: int | None = None
    profiles = 0
    whole = False
    for kind, start, end in _chunks(content):
        body = content[start : min(end, len(content))]
        if kind == b"IDAT" and end + 4 > len(content):  # what came of it may be all of the picture
            kept.append(_chunk(kind, body))
        elif kind in (b"PLTE", b"tRNS", b"IDAT"):
            kept.append(_checked(content[start - 8 : end + 4]))
        elif kind in (b"eXIf", b"iTXt") and not orientation:
            orientation = _orientation_in(kind, body)
        elif kind in (b"tEXt", b"zTXt") and not orientation and body.startswith(_IMAGEMAGICK):
            profiles += 1
            if profiles <= _MAX_PROFILES:
                orientation = _orientation_in(kind, body)
        elif kind == b"IEND":
            whole = True
            break
    kept.append(_chunk(b"IEND", b""))
    return PhotoFile(PhotoFormat.PNG, width, height, b"".join(kept), orientation or 1, whole)


def decode_png(photo: PhotoFile) -> npt.NDArray[np.uint8] | npt.NDArray[np.uint16]:
    """Return the picture: grey ``(H, W)``, RGB or RGBA ``(H, W, C)``, in 8 or 16 bits.

    Raises whatever the decoder raises.
    """
    depth, colour = photo.content[24:26]
    see_through = b"tRNS" in photo.content[:_BEFORE_PICTURE]
    # Pillow keeps the upper eight bits only, and takes longer over the large kinds.
    if depth == _DEEP or (colour in _TRUE_COLOURS and not see_through):
        return _decode_true_colours(photo.content)
    with PngImageFile(BytesIO(photo.content)) as picture:
        picture.load()
        if picture.has_transparency_data:
            return np.asarray(picture if picture.mode == "RGBA" else picture.convert("RGBA"))
        if picture.mode in ("L", "RGB"):
            return np.asarray(picture)
        return np.asarray(picture.convert("L" if picture.mode == "1" else "RGB"))


def _decode_true_colours(content: bytes) -> npt.NDArray[np.uint8] | npt.NDArray[np.uint16]:
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise UndecodablePhotoError("the PNG does not decode")
    if pixels.ndim == 3:
        code = cv2.COLOR_BGR2RGB if pixels.shape[2] == 3 else cv2.COLOR_BGRA2RGBA
        pixels = cv2.cvtColor(pixels, code, dst=pixels)
    if pixels.dtype == np.uint16:
        return pixels.astype(np.uint16, copy=False)
    return pixels.astype(np.uint8, copy=False)


def _read_header(content: bytes, limits: DecodeLimits) -> tuple[int, int, bytes]:
    """Return width, height and the header chunk as it stands in the file."""
    if len(content) < 33:
        raise PhotoCutError("the file ends before its picture begins")
    if content[8:16] != b"\0\0\0\x0dIHDR":
        raise UndecodablePhotoError("the PNG does not begin with its header")
    width, height, depth, colour = struct.unpack_from(">IIBB", content, 16)
    if depth not in _DEPTHS.get(colour, ()) or not width or not height:
        raise UndecodablePhotoError("the PNG's header says what no PNG can be")
    row_bytes = -(-width * _CHANNELS[colour] * depth // 8)
    cost = row_bytes * height * 3 // 2 if depth == _DEEP else row_bytes * height
    require_bounded(width, height, cost, limits, limits.max_pixels)
    return width, height, _checked(content[8:33])


def _chunks(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, first byte and end of the chunks behind the header; the last may be cut."""
    position = 33
    for _ in range(MAX_CHUNKS):
        if position + 8 > len(content):
            return
        (length,) = struct.unpack_from(">I", content, position)
        start = position + 8
        yield content[position + 4 : start], start, start + length
        position = start + length + 4
    raise UndecodablePhotoError(f"the PNG has more than {MAX_CHUNKS} chunks")


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _checked(chunk: bytes) -> bytes:
    """Return the chunk; refuse one that was damaged, about which libpng writes to stderr."""
    if struct.pack(">I", zlib.crc32(memoryview(chunk)[4:-4])) != chunk[-4:]:
        raise UndecodablePhotoError("a part of the PNG is damaged")
    return chunk


def _orientation_in(kind: bytes, body: bytes) -> int | None:
    """Return the orientation in one chunk, as cameras, editors and ImageMagick write it."""
    if kind == b"eXIf":
        return exif_orientation(body)
    if kind == b"iTXt":
        # Compressed packets (the byte behind the keyword) are left alone.
        plain = body.startswith(b"XML:com.adobe.xmp\0\0")
        return xmp_orientation(body) if plain else None
    name = next((name for name in _IMAGEMAGICK if body.startswith(name)), None)
    if name is None:
        return None
    text = body[len(name) :]
    try:
        if kind == b"zTXt":
            text = zlib.decompressobj().decompress(text[1:], _MAX_PROFILE_BYTES)
        # A line with the name, one with the length, then hexadecimal digits.
        digits = b"".join(text[:_MAX_PROFILE_BYTES].split()[2:])
        return exif_orientation(binascii.unhexlify(digits[: len(digits) // 2 * 2]))
    except (zlib.error, binascii.Error):
        return None
