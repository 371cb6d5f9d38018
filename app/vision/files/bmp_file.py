"""BMP: its header read and bounded, its picture decoded."""

from __future__ import annotations

import struct
from io import BytesIO

import cv2
import numpy as np
import numpy.typing as npt
from PIL.BmpImagePlugin import BmpImageFile

from app.domain.photo_errors import PhotoCutError, UndecodablePhotoError
from app.vision.files.photo_file import DecodeLimits, PhotoFile, PhotoFormat, require_bounded

_HEADER_SIZES = (12, 40, 52, 56, 64, 108, 124)
_OLD_HEADER = 12
_DEPTHS = (1, 4, 8, 16, 24, 32)
_PLAIN, _RUNS_OF_8, _RUNS_OF_4, _MASKS = 0, 1, 2, 3


def examine_bmp(content: bytes, limits: DecodeLimits) -> PhotoFile:
    """Return a BMP as it is; a last row may lack the bytes that fill it up.

    Raises ``PhotoCutError``, ``PhotoTooManyPixelsError`` or ``UndecodablePhotoError``.
    """
    (header_size,) = struct.unpack_from("<I", content, 14)
    if header_size not in _HEADER_SIZES:
        raise UndecodablePhotoError("the BMP's header is of no known kind")
    if len(content) < 14 + header_size:
        raise PhotoCutError("the file ends before its picture begins")
    compression = _PLAIN
    if header_size == _OLD_HEADER:
        width, height, _, depth = struct.unpack_from("<HHHH", content, 18)
    else:
        width, height, _, depth, compression = struct.unpack_from("<iiHHI", content, 18)
    height = abs(height)  # below 0: from the top down
    if width <= 0 or height == 0 or depth not in _DEPTHS or compression > _MASKS:
        raise UndecodablePhotoError("the BMP's header says what is not decoded")
    require_bounded(width, height, width * height * 3, limits, limits.max_pixels)
    file_size, _, start = struct.unpack_from("<III", content, 2)
    if compression in (_RUNS_OF_8, _RUNS_OF_4):
        whole = file_size <= len(content)
        return PhotoFile(PhotoFormat.BMP, width, height, content, whole=whole)
    needed = start + -(-width * depth // 32) * 4 * height
    if needed > len(content) + 3:
        raise PhotoCutError(f"the file has {len(content)} bytes, its picture needs {needed}")
    padded = content + bytes(max(0, needed - len(content)))
    return PhotoFile(PhotoFormat.BMP, width, height, padded)


def decode_bmp(photo: PhotoFile) -> npt.NDArray[np.uint8]:
    """Return the picture: grey ``(H, W)``, RGB or RGBA ``(H, W, C)``.

    Raises whatever the decoder raises.
    """
    (compression,) = struct.unpack_from("<I", photo.content, 30)
    (header_size,) = struct.unpack_from("<I", photo.content, 14)
    if header_size != _OLD_HEADER and compression in (_RUNS_OF_8, _RUNS_OF_4):
        return _decode_runs(photo.content)  # Pillow walks over them in Python
    with BmpImageFile(BytesIO(photo.content)) as picture:
        picture.load()
        if picture.mode in ("L", "RGB", "RGBA"):
            return np.asarray(picture)
        return np.asarray(picture.convert("L" if picture.mode == "1" else "RGB"))


def _decode_runs(content: bytes) -> npt.NDArray[np.uint8]:
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR_RGB)
    if pixels is None:
        raise UndecodablePhotoError("the BMP does not decode")
    return pixels.astype(np.uint8, copy=False)
