"""How a photo has to be turned to stand upright, read from its metadata in bounded work."""

from __future__ import annotations

import re
import struct

_ORIENTATION_TAG = 0x0112
_SHORT, _LONG = 3, 4
_MAX_ENTRIES = 512  # of one EXIF directory; cameras write about twenty
_MAX_XMP_BYTES = 65_536
_IN_XMP = re.compile(rb"tiff:Orientation\s{0,8}(?:=\s{0,8}[\"']|>)\s{0,8}([1-8])")


def exif_orientation(exif: bytes) -> int | None:
    """Return EXIF's orientation, 1 to 8; None where the block has none or is broken.

    ``exif`` is a TIFF structure, with or without the name in front that JPEG gives it.
    """
    tiff = exif[6:] if exif.startswith(b"Exif\0\0") else exif
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return None
    try:
        (start,) = struct.unpack_from(order + "I", tiff, 4)
        (count,) = struct.unpack_from(order + "H", tiff, start)
        for entry in range(min(count, _MAX_ENTRIES)):
            position = start + 2 + 12 * entry
            tag, kind = struct.unpack_from(order + "HH", tiff, position)
            if tag == _ORIENTATION_TAG and kind in (_SHORT, _LONG):
                (value,) = struct.unpack_from(
                    order + ("H" if kind == _SHORT else "I"), tiff, position + 8
                )
                return value if 1 <= value <= 8 else None
    except struct.error:
        return None
    return None


def xmp_orientation(packet: bytes) -> int | None:
    """Return the orientation that an XMP packet tells, 1 to 8; None where it tells none."""
    found = _IN_XMP.search(packet[:_MAX_XMP_BYTES])
    return int(found.group(1)) if found else None
