"""What kind of file a photo is, and whether its cost is bounded: looked at before it is decoded."""

from __future__ import annotations

import re

from app.domain.photo_errors import PhotoTooManyBytesError, UnsupportedPhotoTypeError
from app.vision.files.bmp_file import examine_bmp
from app.vision.files.heif_file import examine_heif
from app.vision.files.jpeg_file import examine_jpeg
from app.vision.files.photo_file import DecodeLimits, PhotoFile, PhotoFormat
from app.vision.files.png_file import SIGNATURE, examine_png
from app.vision.files.webp_file import examine_webp

#: What cameras leave in front: line breaks, a byte order mark, the headers of an MJPEG part.
_IN_FRONT = re.compile(
    rb"(?:\xef\xbb\xbf)?[\t\r\n -~]{0,1024}?"
    rb"(?=\xff\xd8\xff|\x89PNG\r\n\x1a\n|RIFF.{4}WEBP|.{4}ftyp(?:hei|hev|mif1|msf1|avi))",
    re.DOTALL,
)
_WHITE_SPACE = b"\t\r\n "
_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis")
#: Files that are photos somewhere else, by their first bytes.
_OTHERS = {
    b"GIF8": "a GIF",
    b"II*\0": "a TIFF or raw",
    b"MM\0*": "a TIFF or raw",
    b"%PDF": "a PDF",
    b"\xff\x0a": "a JPEG XL",
    b"\0\0\0\x0cJXL ": "a JPEG XL",
    b"\0\0\0\x0cjP  ": "a JPEG 2000",
    b"\xff\x4f\xff\x51": "a JPEG 2000",
}
TAKEN = "JPEG, PNG, WebP, BMP, HEIC or AVIF"


def sniff_format(content: bytes) -> PhotoFormat:
    """Return the kind of file by its first bytes; of HEIC and AVIF, HEIC.

    Raises ``UnsupportedPhotoTypeError`` for everything else.
    """
    if content.startswith(b"\xff\xd8\xff"):
        return PhotoFormat.JPEG
    if content.startswith(SIGNATURE):
        return PhotoFormat.PNG
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return PhotoFormat.WEBP
    # Two letters alone are weak evidence: the reserved field behind them and the size must fit too.
    if content.startswith(b"BM") and content[6:10] == bytes(4) and len(content) >= 26:
        return PhotoFormat.BMP
    if content[4:8] == b"ftyp" and content[8:12] in _BRANDS:
        return PhotoFormat.HEIC
    kind = next(
        (name for start, name in _OTHERS.items() if content.startswith(start)), "an unknown"
    )
    raise UnsupportedPhotoTypeError(f"the photo is {kind} file, not {TAKEN}")


def examine_photo(content: bytes, limits: DecodeLimits) -> PhotoFile:
    """Return what the file holds, with its cost bounded; nothing is decoded.

    The work is bounded by the number of a file's segments, chunks or boxes, never by its pixels,
    and no lock is held. Raises the ``PhotoError`` that applies.
    """
    if len(content) > limits.max_bytes:
        raise PhotoTooManyBytesError(
            f"the photo has {len(content)} bytes, at most {limits.max_bytes} are accepted"
        )
    content = _without_junk_in_front(content)
    return _EXAMINERS[sniff_format(content)](content, limits)


def _without_junk_in_front(content: bytes) -> bytes:
    found = _IN_FRONT.match(content)
    if found:
        return content[found.end() :] if found.end() else content
    bare = content[:64].lstrip(_WHITE_SPACE)
    return (
        content[-len(content) + min(len(content), 64) - len(bare) :]
        if bare[:2] == b"BM"
        else content
    )


_EXAMINERS = {
    PhotoFormat.JPEG: examine_jpeg,
    PhotoFormat.PNG: examine_png,
    PhotoFormat.WEBP: examine_webp,
    PhotoFormat.BMP: examine_bmp,
    PhotoFormat.HEIC: examine_heif,
}
