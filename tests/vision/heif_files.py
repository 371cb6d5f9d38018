"""HEIC files put together box by box, as an enemy does; nothing in them decodes."""

from __future__ import annotations

import struct

SIDE = 64
#: One unit of supplemental information, which says nothing.
UNIT = struct.pack(">I", 3) + bytes([40 << 1, 0, 0])
FTYP = struct.pack(">I4s", 20, b"ftyp") + b"heic\0\0\0\0heic"


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", len(body) + 8, kind) + body


def full(kind: bytes, body: bytes, version: int = 0) -> bytes:
    return box(kind, struct.pack(">I", version << 24) + body)


def item(number: int, kind: bytes) -> bytes:
    return full(b"infe", struct.pack(">HH4s", number, 0, kind) + b"\0", version=2)


def grid_heic(uses: int, alphas: int, data: bytes, places: int = 1) -> bytes:
    """Return a grid (item 1) that uses one tile (item 2) often, with a grid of alpha (item 3).

    The alpha is named ``alphas`` times; the tile's ``data`` is kept in as many ``places``.
    """
    properties = box(
        b"ipco",
        full(b"ispe", struct.pack(">II", SIDE, SIDE))
        + box(b"hvcC", bytes(21) + b"\3" + b"\1" + _array([_sequence_parameters()]))
        + full(b"auxC", b"urn:mpeg:hevc:2015:auxid:1\0"),
    )
    of_items = b"".join(
        struct.pack(">HB2B", number, 2, 1, other) for number, other in ((1, 2), (2, 2), (3, 3))
    )
    references = (
        b"".join(
            box(b"dimg", struct.pack(">HH", grid, uses) + struct.pack(">H", 2) * uses)
            for grid in (1, 3)
        )
        + box(b"auxl", struct.pack(">HHH", 3, 1, 1)) * alphas
    )

    def meta(start: int) -> bytes:
        kept = struct.pack(">II", start, len(data)) * places
        return full(
            b"meta",
            full(b"pitm", struct.pack(">H", 1))
            + full(
                b"iinf",
                struct.pack(">H", 3) + item(1, b"grid") + item(2, b"hvc1") + item(3, b"grid"),
            )
            + full(b"iref", references)
            + box(b"iprp", properties + full(b"ipma", struct.pack(">I", 3) + of_items))
            + full(b"iloc", struct.pack(">BBHHHH", 0x44, 0, 1, 2, 0, places) + kept),
        )

    return FTYP + meta(len(FTYP) + len(meta(0)) + 8) + box(b"mdat", data)


def _array(units: list[bytes]) -> bytes:
    counted = b"".join(struct.pack(">H", len(unit)) + unit for unit in units)
    return bytes([33]) + struct.pack(">H", len(units)) + counted


def _sequence_parameters() -> bytes:
    def golomb(value: int) -> str:
        digits = f"{value + 1:b}"
        return "0" * (len(digits) - 1) + digits

    bits = "0000" + "000" + "1" + "0" * 96 + golomb(0) + golomb(1) + golomb(SIDE) * 2 + "1"
    bits += "0" * (-len(bits) % 8)
    return bytes([33 << 1, 1]) + int(bits, 2).to_bytes(len(bits) // 8, "big")
