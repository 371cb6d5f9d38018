"""JPEG: its segments and scans walked and bounded, its picture decoded and held to be whole."""

from __future__ import annotations

import math
import re
import struct
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import simplejpeg

from app.domain.photo_errors import PhotoCutError, UndecodablePhotoError
from app.vision.files.orientation import exif_orientation, xmp_orientation
from app.vision.files.photo_file import DecodeLimits, PhotoFile, PhotoFormat, require_bounded

MAX_SEGMENTS = 1_024
_MAX_FILL = 64  # bytes of 0xFF before one marker
_FILL = re.compile(rb"\xff{2,%d}" % (_MAX_FILL + 1))

_SOI, _EOI, _SOS, _DHT, _DQT, _DRI = 0xD8, 0xD9, 0xDA, 0xC4, 0xDB, 0xDD
_APP0, _APP1, _APP14 = 0xE0, 0xE1, 0xEE
_FRAMES = frozenset(range(0xC0, 0xD0)) - {_DHT, 0xC8, 0xCC}
_DECODED_FRAMES = (0xC0, 0xC1, 0xC2)  # baseline, extended, progressive; all with Huffman codes
_PROGRESSIVE = 0xC2
_STANDALONE = frozenset((0x01, *range(0xD0, 0xD8)))
_EXIF_NAME, _XMP_NAME = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0"

#: What libjpeg-turbo says first where samples are missing, and where bits are wrong: among it,
#: bytes too many before a restart, 0xd0 to 0xd7. Before the end they are what cameras fill up with.
_MISSING = re.compile(r"[Pp]remature end|instead of RST|before marker 0xd[0-7]")
_WRONG = re.compile(r"bad Huffman code")


@dataclass
class _Component:
    """A colour: its blocks, and to how many bits below the last each coefficient is known."""

    block_count: int
    lacking_bits: list[int | None] = field(default_factory=lambda: [None] * 64)


@dataclass
class _Walk:
    """What a walk over a JPEG's segments has found so far."""

    content: bytes
    limits: DecodeLimits
    position: int = 2
    segments: int = 0
    scans: int = 0
    block_visits: int = 0
    width: int = 0
    height: int = 0
    progressive: bool = False
    exif: int | None = None
    xmp: int | None = None
    components: dict[int, _Component] = field(default_factory=dict)
    kept: list[bytes] = field(default_factory=list)


def examine_jpeg(content: bytes, limits: DecodeLimits) -> PhotoFile:
    """Return a JPEG without its metadata; of several pictures in the file the first.

    Raises ``PhotoCutError``, ``PhotoTooManyPixelsError`` or ``UndecodablePhotoError``.
    """
    walk = _Walk(content, limits)
    while (marker := _next_marker(walk)) != _SOS:
        _read_segment(walk, marker)
    if not walk.components:
        raise UndecodablePhotoError("the JPEG has no frame before its first scan")
    start = walk.position - 2
    end = _walk_scans(walk)
    picture = content[start:end] if end else content[start:] + bytes((0xFF, _EOI))
    return PhotoFile(
        PhotoFormat.JPEG,
        walk.width,
        walk.height,
        b"".join((bytes((0xFF, _SOI)), *walk.kept, picture)),
        walk.exif or walk.xmp or 1,
        whole=end is not None,
        reducible=not walk.progressive,  # every scan of a progressive file is read in any case
    )


def decode_jpeg(photo: PhotoFile, min_side: int) -> npt.NDArray[np.uint8]:
    """Return the picture in RGB ``(H, W, 3)``, by DCT scaling nearly as small as ``min_side``.

    The longer side is halved while it stays at least ``min_side``. Raises ``PhotoCutError`` where
    samples are missing, ``UndecodablePhotoError`` for what else is wrong.
    """
    factor = 1
    while factor < 8 and max(photo.width, photo.height) >= 2 * factor * min_side:
        factor *= 2
    smallest = {"min_height": -(-photo.height // factor), "min_width": -(-photo.width // factor)}
    try:
        decoded = simplejpeg.decode_jpeg(photo.content, "RGB", strict=True, **smallest)
    except ValueError as error:
        message = str(error)
        if _MISSING.search(message):
            raise PhotoCutError("a part of the JPEG's data is missing") from error
        if _WRONG.search(message):
            raise UndecodablePhotoError("the JPEG's data is damaged") from error
        # What is left are faults beside the picture: bytes too many, odd headers.
        decoded = simplejpeg.decode_jpeg(photo.content, "RGB", strict=False, **smallest)
    return np.asarray(decoded, dtype=np.uint8)


def _next_marker(walk: _Walk) -> int:
    """Return the marker at the walk's position and step behind it."""
    content = walk.content
    walk.segments += 1
    if walk.segments > MAX_SEGMENTS:
        raise UndecodablePhotoError(f"the JPEG has more than {MAX_SEGMENTS} segments")
    if walk.position + 2 > len(content):
        raise PhotoCutError("the file ends before its picture begins")
    if content[walk.position] != 0xFF:
        raise UndecodablePhotoError("the JPEG has no marker where one must be")
    fill = _FILL.match(content, walk.position)
    if fill:
        walk.position = fill.end() - 1
        if walk.position + 1 == len(content):
            raise PhotoCutError("the file ends before its picture begins")
        if content[walk.position + 1] == 0xFF:
            raise UndecodablePhotoError(f"the JPEG has more than {_MAX_FILL} fill bytes in a row")
    walk.position += 2
    return content[walk.position - 1]


def _segment_end(walk: _Walk) -> int:
    if walk.position + 2 > len(walk.content):
        raise PhotoCutError("the file ends before its picture begins")
    (length,) = struct.unpack_from(">H", walk.content, walk.position)
    if length < 2:
        raise UndecodablePhotoError("the JPEG has a segment without a length")
    if walk.position + length > len(walk.content):
        raise PhotoCutError("the file ends before its picture begins")
    return walk.position + int(length)


def _read_segment(walk: _Walk, marker: int) -> None:
    """Take from a segment before the first scan what is needed, and step behind it."""
    if marker in _STANDALONE:
        return
    if marker in (_SOI, _EOI, 0x00):
        raise UndecodablePhotoError("the JPEG has no picture")
    start, end = walk.position, _segment_end(walk)
    body = walk.content[start + 2 : end]
    walk.position = end
    if marker == _APP1:
        if body.startswith(_EXIF_NAME):
            walk.exif = walk.exif or exif_orientation(body)
        elif body.startswith(_XMP_NAME):
            walk.xmp = walk.xmp or xmp_orientation(body)
        return
    if marker in _FRAMES:
        _read_frame(walk, marker, body)
    colours = (marker == _APP0 and body.startswith(b"JFIF\0")) or (
        marker == _APP14 and body.startswith(b"Adobe")
    )
    if colours or marker in _FRAMES or marker in (_DHT, _DQT, _DRI):
        walk.kept.append(walk.content[start - 2 : end])


def _read_frame(walk: _Walk, marker: int, body: bytes) -> None:
    if marker not in _DECODED_FRAMES or walk.components or len(body) < 6:
        raise UndecodablePhotoError("the JPEG is neither baseline nor progressive")
    depth, walk.height, walk.width, count = struct.unpack_from(">BHHB", body)
    if depth != 8 or not 1 <= count <= 4 or len(body) != 6 + 3 * count:
        raise UndecodablePhotoError(f"the JPEG has {count} colours of {depth} bits")
    if not walk.width or not walk.height:
        raise UndecodablePhotoError("the JPEG does not tell its size")
    sampling = [(body[7 + 3 * n] >> 4, body[7 + 3 * n] & 15) for n in range(count)]
    if not all(1 <= h <= 4 and 1 <= v <= 4 for h, v in sampling):
        raise UndecodablePhotoError("the JPEG's colours are sampled in no known way")
    unpacked = walk.width * walk.height * count
    require_bounded(walk.width, walk.height, unpacked, walk.limits, walk.limits.max_pixels)
    widest, highest = max(h for h, _ in sampling), max(v for _, v in sampling)
    # Whole groups of blocks, as scans of several colours visit them.
    across = math.ceil(walk.width / (8 * widest))
    down = math.ceil(walk.height / (8 * highest))
    for n, (h, v) in enumerate(sampling):
        walk.components[body[6 + 3 * n]] = _Component(across * h * down * v)
    walk.progressive = marker == _PROGRESSIVE


def _walk_scans(walk: _Walk) -> int | None:
    """Count the scans from the first on; return where the picture ends, None where nothing says.

    Raises ``PhotoCutError`` where whole scans are missing.
    """
    markers = _marker_positions(walk.content, walk.position)
    marker = _SOS
    end: int | None = None
    while True:
        segment_end = _segment_end(walk)
        if marker == _SOS:
            _count_scan(walk, walk.content[walk.position + 2 : segment_end])
        walk.position = segment_end
        if marker == _SOS:  # its data goes on to the next marker
            behind = int(np.searchsorted(markers, segment_end))
            if behind == len(markers):
                break
            walk.position = int(markers[behind])
        if walk.position + 2 > len(walk.content):
            break
        marker = _next_marker(walk)
        if marker in (_EOI, _SOI):  # some streams leave the end out and begin anew
            end = walk.position if marker == _EOI else None
            break
    if not all(_is_known(one, walk.progressive) for one in walk.components.values()):
        raise PhotoCutError("the last scans of the JPEG are missing")
    return end


def _marker_positions(content: bytes, start: int) -> npt.NDArray[np.intp]:
    """Return where coded data behind ``start`` can end: each 0xFF before a marker's number."""
    data = np.frombuffer(content, np.uint8, offset=start)
    number = data[1:]
    is_marker = data[:-1] == 0xFF
    is_marker &= number != 0x00
    is_marker &= number != 0xFF
    is_marker &= (number & 0xF8) != 0xD0  # restarts belong to the data
    return np.flatnonzero(is_marker) + start


def _count_scan(walk: _Walk, header: bytes) -> None:
    """Count one scan's cost, and what it tells of each colour."""
    walk.scans += 1
    if walk.scans > walk.limits.max_scans:
        raise UndecodablePhotoError(
            f"the photo has {walk.scans} or more scans, at most {walk.limits.max_scans} are decoded"
        )
    count = header[0] if header else 0
    if not 1 <= count <= 4 or len(header) != 4 + 2 * count:
        raise UndecodablePhotoError("the JPEG has a scan that tells nothing of itself")
    first, last, bits = header[-3:]
    for n in range(count):
        component = walk.components.get(header[1 + 2 * n])
        if component is None:
            raise UndecodablePhotoError("the JPEG has a scan of a colour that it does not have")
        walk.block_visits += component.block_count
        known = range(first, min(last, 63) + 1) if walk.progressive else range(64)
        for coefficient in known:
            component.lacking_bits[coefficient] = (bits & 15) if walk.progressive else 0
    if walk.block_visits > walk.limits.max_block_visits:
        raise UndecodablePhotoError(
            f"the scans of the photo go over {walk.block_visits} blocks or more, "
            f"at most {walk.limits.max_block_visits} are decoded"
        )


def _is_known(component: _Component, progressive: bool) -> bool:
    """Return whether all of a colour was sent, to its last bit."""
    if not progressive:
        return component.lacking_bits[0] == 0
    return all(lacking == 0 for lacking in component.lacking_bits)
