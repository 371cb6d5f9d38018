"""From a photo's bytes to an upright RGB picture, with the cost bounded before it is paid."""

from __future__ import annotations

import logging
from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

from app.domain.errors import BusyError
from app.domain.faces import DecodedPhoto, Picture
from app.domain.photo_errors import PhotoCutError, PhotoError, UndecodablePhotoError
from app.vision.files.bmp_file import decode_bmp
from app.vision.files.colours import Pixels, as_rgb
from app.vision.files.examine import examine_photo, sniff_format
from app.vision.files.heif_file import decode_heif
from app.vision.files.jpeg_file import decode_jpeg
from app.vision.files.photo_file import DecodeLimits, PhotoFile, PhotoFormat
from app.vision.files.png_file import decode_png
from app.vision.files.webp_file import decode_webp

__all__ = [
    "DecodeLimits",
    "PhotoFile",
    "PhotoFormat",
    "decode_file",
    "decode_photo",
    "open_photo",
    "read_photo",
    "sniff_format",
]

logger = logging.getLogger(__name__)


def decode_photo(content: bytes, limits: DecodeLimits) -> Picture:
    """Return the upright RGB picture of a file; see ``read_photo``."""
    return read_photo(content, limits).picture


def read_photo(content: bytes, limits: DecodeLimits) -> DecodedPhoto:
    """Return the upright RGB picture of a JPEG, PNG, WebP, BMP, HEIC or AVIF file, with its size.

    Byte count, type, structure and pixel count are checked in this order, before anything is
    decoded; see ``open_photo`` and ``decode_file`` for what they raise.
    """
    return decode_file(open_photo(content, limits), limits)


def open_photo(content: bytes, limits: DecodeLimits) -> PhotoFile:
    """Return what a file holds, examined and bounded, before anything is decoded.

    Raises the ``PhotoError`` that applies, and ``BusyError`` where there is no memory for it now.
    """
    try:
        return examine_photo(content, limits)
    except PhotoError:
        raise
    except MemoryError as error:
        raise BusyError(retry_after_seconds=2) from error
    except Exception as error:
        # Without the message and the values: they may hold what somebody wrote into the photo.
        logger.warning("the examination of a photo ended with %s", type(error).__name__)
        raise UndecodablePhotoError("the photo's description of itself is broken") from error


def decode_file(
    photo: PhotoFile, limits: DecodeLimits, min_side: int | None = None
) -> DecodedPhoto:
    """Return the upright RGB picture of an opened photo, with the photo's own size.

    EXIF orientation is applied; transparency is laid over white; of an animation the first frame
    counts. With ``min_side`` a format that can be decoded without its detail, as JPEG, is: its
    longer side is halved while it stays at least that. Raises the ``PhotoError`` that applies,
    ``PhotoCutError`` where a part of the picture is missing, and ``BusyError`` where there is no
    memory for it now.
    """
    # Without a wish the decoder skips what is reduced anyway, never so far that faces suffer.
    smallest = limits.max_side * 3 // 4 if min_side is None else min_side
    try:
        rgb = as_rgb(_decoded(photo, smallest), limits.max_side)
    except PhotoError:
        raise
    except MemoryError as error:
        raise BusyError(retry_after_seconds=2) from error
    except Exception as error:  # decoders raise whatever a broken file leads them to
        if isinstance(error, cv2.error) and error.code == cv2.Error.StsNoMem:
            raise BusyError(retry_after_seconds=2) from error
        raise UndecodablePhotoError(
            f"the photo starts like {photo.format} and does not decode"
        ) from error
    upright = _TO_UPRIGHT[photo.orientation](rgb)
    picture = np.require(upright, requirements=("C_CONTIGUOUS", "WRITEABLE"))
    return DecodedPhoto(picture, *photo.upright_size)


def _decoded(photo: PhotoFile, min_side: int) -> Pixels:
    """Return the picture as stored; raises ``PhotoCutError`` where the file ended before it did."""
    try:
        if photo.format is PhotoFormat.JPEG:
            return decode_jpeg(photo, min_side)
        return _DECODERS[photo.format](photo)
    except MemoryError:
        raise
    except Exception as error:
        if photo.whole:
            raise
        raise PhotoCutError("the file ends within its picture") from error


_DECODERS: dict[PhotoFormat, Callable[[PhotoFile], Pixels]] = {
    PhotoFormat.PNG: decode_png,
    PhotoFormat.WEBP: decode_webp,
    PhotoFormat.BMP: decode_bmp,
    PhotoFormat.HEIC: decode_heif,
    PhotoFormat.AVIF: decode_heif,
}

_Turn = Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.uint8]]
_TO_UPRIGHT: dict[int, _Turn] = {
    1: lambda stored: stored,
    2: lambda stored: stored[:, ::-1],
    3: lambda stored: stored[::-1, ::-1],
    4: lambda stored: stored[::-1],
    5: lambda stored: stored.transpose(1, 0, 2),
    6: lambda stored: np.rot90(stored, -1),
    7: lambda stored: stored[::-1, ::-1].transpose(1, 0, 2),
    8: lambda stored: np.rot90(stored, 1),
}
