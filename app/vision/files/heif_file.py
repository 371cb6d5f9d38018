"""HEIC and AVIF: what their primary picture is made of, bounded, and decoded."""

from __future__ import annotations

import struct
from collections import Counter
from io import BytesIO
from itertools import chain

import numpy as np
import numpy.typing as npt
from pi_heif import HeifFile, options
from PIL import AvifImagePlugin

from app.domain.photo_errors import (
    PhotoCutError,
    PhotoTooManyBytesError,
    PhotoTooManyPixelsError,
    UndecodablePhotoError,
)
from app.vision.files.coded_pictures import av1_sizes, hevc_sizes, length_prefixed
from app.vision.files.heif_boxes import HeifItems, read_items
from app.vision.files.photo_file import DecodeLimits, PhotoFile, PhotoFormat, require_bounded

_CODED = {b"hvc1": PhotoFormat.HEIC, b"av01": PhotoFormat.AVIF}
_GRID = b"grid"
_ALPHA_PLANES = (
    b"urn:mpeg:hevc:2015:auxid:1",
    b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha",
)
_METADATA = (b"Exif", b"mime", b"uri ")
_NOBODY_READS = b"free"
#: Tiles of a picture and its alpha together; telephones send about 50 of 512 x 512.
MAX_PARTS = 512
#: Units in all parts together; a tile has one, or a handful.
MAX_UNITS = 4_096
_SLACK = 64  # how far a coded picture goes beyond the shown one: whole blocks of the largest kind


def examine_heif(content: bytes, limits: DecodeLimits) -> PhotoFile:
    """Return a HEIC or AVIF file in which no decoder finds metadata, depth or gain maps.

    Raises ``PhotoCutError``, ``PhotoTooManyBytesError``, ``PhotoTooManyPixelsError`` or
    ``UndecodablePhotoError``.
    """
    try:
        return _examined(content, limits)
    except (struct.error, IndexError, KeyError, ValueError) as error:
        raise UndecodablePhotoError("the file's description of itself is broken") from error


def _examined(content: bytes, limits: DecodeLimits) -> PhotoFile:
    items = read_items(content)
    planes = [source for source in _auxiliaries(items) if _is_alpha(items, source)]
    tiles_of = {item: _tiles(items, item) for item in dict.fromkeys([items.primary, *planes])}
    parts = Counter(chain.from_iterable(tiles_of.values()))
    photo_format = _CODED[items.kinds[tiles_of[items.primary][0]]]
    if any(_CODED[items.kinds[part]] is not photo_format for part in parts):
        raise UndecodablePhotoError("the file mixes HEVC and AV1")
    width, height = _shown_size(items, items.primary)
    require_bounded(width, height, width * height * 3, limits, limits.max_video_pixels)
    _require_bounded_parts(items, content, parts, limits)
    # The container's turns and mirrors are the decoder's to apply; HEIF ignores EXIF's.
    if photo_format is PhotoFormat.HEIC:
        width, height = _within_aperture(items, width, height)
        turned = (items.property_of(items.primary, b"irot") or b"\0")[0] & 1
        width, height = (height, width) if turned else (width, height)
    alone = _without_extras(content, items, planes)
    orientation = _avif_orientation(items) if photo_format is PhotoFormat.AVIF else 1
    return PhotoFile(photo_format, width, height, alone, orientation)


def _require_bounded_parts(
    items: HeifItems, content: bytes, parts: Counter[int], limits: DecodeLimits
) -> None:
    """Refuse parts, each with how often it is decoded, that cost too much or lie about their size.

    What the container says is added up before any part is looked into, and each is looked into
    once however often it is used. Raises ``PhotoCutError``, ``PhotoTooManyBytesError``,
    ``PhotoTooManyPixelsError`` or ``UndecodablePhotoError``.
    """
    if parts.total() > MAX_PARTS:
        raise UndecodablePhotoError(f"the photo is made of more than {MAX_PARTS} parts")
    byte_count = sum(
        times * sum(length for _, length in items.extents[part]) for part, times in parts.items()
    )
    if byte_count > limits.max_video_bytes:
        raise PhotoTooManyBytesError(
            f"the picture in the file has {byte_count} bytes, "
            f"at most {limits.max_video_bytes} are accepted in HEIC or AVIF"
        )
    shown = {part: _shown_size(items, part) for part in parts}
    _require_few_pixels(sum(w * h * parts[part] for part, (w, h) in shown.items()), limits)
    pixels = 0
    for part, times in parts.items():
        pixels += times * _coded_pixels(items, content, part, MAX_UNITS // len(parts))
        _require_few_pixels(pixels, limits)


def _require_few_pixels(pixels: int, limits: DecodeLimits) -> None:
    if pixels > limits.max_video_pixels * 5 // 4:  # tiles go beyond the edge of the picture
        raise PhotoTooManyPixelsError(
            f"the parts of the photo have {pixels} pixels or more, "
            f"at most {limits.max_video_pixels} are accepted in HEIC or AVIF"
        )


def decode_heif(photo: PhotoFile) -> npt.NDArray[np.uint8]:
    """Return the picture: grey ``(H, W)``, RGB or RGBA ``(H, W, C)``.

    Raises whatever the decoder raises.
    """
    if photo.format is PhotoFormat.AVIF:
        AvifImagePlugin.DEFAULT_MAX_THREADS = 1
        with AvifImagePlugin.AvifImageFile(BytesIO(photo.content)) as picture:
            picture.load()
            return np.asarray(picture)
    options.DECODE_THREADS = 1
    opened = HeifFile(photo.content, convert_hdr_to_8bit=True)
    # By a copy made while the file is open: the array that it offers does not keep its memory.
    return np.array(opened, dtype=np.uint8)


def _tiles(items: HeifItems, item: int) -> list[int]:
    """Return the coded pictures that an item is put together from, as often as they are used."""
    kind = items.kinds.get(item, b"")
    if kind in _CODED:
        return [item]
    tiles = next(
        (to for name, source, to in items.references if name == b"dimg" and source == item), []
    )
    if kind != _GRID or not tiles or any(items.kinds.get(one) not in _CODED for one in tiles):
        raise UndecodablePhotoError("the file's picture is neither HEVC nor AV1, nor tiles of them")
    return tiles


def _auxiliaries(items: HeifItems) -> list[int]:
    """Return the depth maps, gain maps and alpha planes, each once however often it is named."""
    return list(dict.fromkeys(source for name, source, _ in items.references if name == b"auxl"))


def _is_alpha(items: HeifItems, item: int) -> bool:
    payload = items.property_of(item, b"auxC") or b""
    return payload[4:].startswith(_ALPHA_PLANES)


def _shown_size(items: HeifItems, item: int) -> tuple[int, int]:
    payload = items.property_of(item, b"ispe") or b""
    if len(payload) < 12:
        raise UndecodablePhotoError("the file does not tell the size of its picture")
    width, height = struct.unpack_from(">II", payload, 4)
    if not width or not height:
        raise UndecodablePhotoError("the file does not tell the size of its picture")
    return width, height


def _within_aperture(items: HeifItems, width: int, height: int) -> tuple[int, int]:
    """Return the size that is left of it by the item's clean aperture, if it has one."""
    payload = items.property_of(items.primary, b"clap") or b""
    if len(payload) < 16:
        return width, height
    across, of_width, down, of_height = struct.unpack_from(">IIII", payload)
    if not across or not of_width or not down or not of_height:
        return width, height
    return min(width, across // of_width or 1), min(height, down // of_height or 1)


def _coded_pixels(items: HeifItems, content: bytes, item: int, max_units: int) -> int:
    """Return how many pixels are decoded for a coded item, by its own headers.

    Raises ``UndecodablePhotoError`` where they say more than the container, or where the item has
    more than ``max_units`` units.
    """
    data = b"".join(_extent(content, *extent) for extent in items.extents[item])
    if items.kinds[item] == b"hvc1":
        setup = items.property_of(item, b"hvcC") or b""
        if len(setup) < 23:
            raise UndecodablePhotoError("the file does not tell how its picture is coded")
        sets, _ = hevc_sizes(iter(_parameter_sets(setup, max_units)))
        inner, pictures = hevc_sizes(length_prefixed(data, (setup[21] & 3) + 1, max_units))
        sizes = sets + inner
    else:
        sizes, pictures = av1_sizes(data, max_units)
        sizes += av1_sizes((items.property_of(item, b"av1C") or b"")[4:], max_units)[0]
    width, height = _shown_size(items, item)
    if not sizes or pictures > 1:
        raise UndecodablePhotoError("the file's picture is coded as a film, or not at all")
    if any(w > width + _SLACK or h > height + _SLACK for w, h in sizes):
        raise UndecodablePhotoError("the file's picture is larger than the file says")
    return max(w * h for w, h in sizes)


def _extent(content: bytes, offset: int, length: int) -> bytes:
    if offset + length > len(content):
        raise PhotoCutError(
            f"the file has {len(content)} bytes, its picture needs {offset + length}"
        )
    return content[offset : offset + length]


def _parameter_sets(setup: bytes, max_units: int) -> list[bytes]:
    """Return the NAL units in a ``hvcC`` property (ISO/IEC 14496-15, 8.3.3.1)."""
    units: list[bytes] = []
    position = 23
    for _ in range(setup[22]):
        (count,) = struct.unpack_from(">H", setup.ljust(position + 3, b"\0"), position + 1)
        position += 3
        if len(units) + count > max_units:
            raise UndecodablePhotoError("the file tells in too many ways how its picture is coded")
        for _ in range(count):
            (length,) = struct.unpack_from(">H", setup.ljust(position + 2, b"\0"), position)
            units.append(setup[position + 2 : position + 2 + length])
            position += 2 + length
    return units


def _without_extras(content: bytes, items: HeifItems, planes: list[int]) -> bytes:
    """Return the file with all items renamed that no decoder needs, every byte in its place."""
    alone = bytearray(content)
    extras = set(_auxiliaries(items)) - set(planes)
    for item, kind in items.kinds.items():
        if kind in _METADATA or item in extras:
            alone[items.kind_places[item] : items.kind_places[item] + 4] = _NOBODY_READS
    if alone[8:12] == b"avis":  # what the film shows was not examined
        alone[8:12] = b"avif"
    return bytes(alone)


#: EXIF's number for (a quarter turn against the clock, axis to mirror about), as AVIF applies them.
_AVIF_TURNS = {
    (0, None): 1, (1, None): 8, (2, None): 3, (3, None): 6,
    (0, 0): 4, (1, 0): 5, (2, 0): 2, (3, 0): 7,
    (0, 1): 2, (1, 1): 7, (2, 1): 4, (3, 1): 5,
}  # fmt: skip


def _avif_orientation(items: HeifItems) -> int:
    turn = (items.property_of(items.primary, b"irot") or b"\0")[0] & 3
    mirror = items.property_of(items.primary, b"imir")
    return _AVIF_TURNS[turn, mirror[0] & 1 if mirror else None]
