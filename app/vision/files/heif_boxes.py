"""The boxes of a HEIF file (ISO/IEC 23008-12) that say what its primary picture is made of."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from app.domain.photo_errors import PhotoCutError, UndecodablePhotoError

MAX_BOXES = 4_096
MAX_ITEMS = 2_048
_MAX_META_BYTES = 2**20

Extent = tuple[int, int]


@dataclass
class HeifItems:
    """What a file's ``meta`` box tells, as far as it is needed."""

    primary: int = 0
    kinds: dict[int, bytes] = field(default_factory=dict)
    #: Where the four letters of each item's kind stand in the file.
    kind_places: dict[int, int] = field(default_factory=dict)
    #: (kind, from, to): ``dimg`` from a grid to its tiles, ``auxl`` from an alpha plane.
    references: list[tuple[bytes, int, list[int]]] = field(default_factory=list)
    properties: list[tuple[bytes, bytes]] = field(default_factory=list)
    associations: dict[int, list[int]] = field(default_factory=dict)
    extents: dict[int, list[Extent]] = field(default_factory=dict)

    def property_of(self, item: int, kind: bytes) -> bytes | None:
        """Return the body of an item's first property of this kind."""
        for index in self.associations.get(item, ()):
            if 1 <= index <= len(self.properties) and self.properties[index - 1][0] == kind:
                return self.properties[index - 1][1]
        return None


def boxes(content: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, first byte and end of each box between two places; the last may be cut."""
    for _ in range(MAX_BOXES):
        if start + 8 > end:
            return
        size, kind = struct.unpack_from(">I4s", content, start)
        body = start + 8
        if size == 1 and start + 16 <= end:
            (size,) = struct.unpack_from(">Q", content, body)
            body += 8
        stop = end if size == 0 else start + size
        if stop < body:
            raise UndecodablePhotoError("the file has a box without a size")
        yield kind, body, stop
        start = stop
    raise UndecodablePhotoError(f"the file has more than {MAX_BOXES} boxes")


def _inner_boxes(content: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield what ``boxes`` yields; refuse a box that is longer than the one that it stands in."""
    for kind, body, stop in boxes(content, start, end):
        if stop > end:
            raise UndecodablePhotoError("the file has a box that is longer than its place")
        yield kind, body, stop


def read_items(content: bytes) -> HeifItems:
    """Return what the file's ``meta`` box tells.

    Raises ``PhotoCutError`` or ``UndecodablePhotoError``.
    """
    meta = next((box for box in boxes(content, 0, len(content)) if box[0] == b"meta"), None)
    if meta is None:
        raise UndecodablePhotoError("the file has no still picture, or ends before it")
    _, start, end = meta
    if end > len(content):
        raise PhotoCutError("the file ends before its picture begins")
    if end - start > _MAX_META_BYTES:
        raise UndecodablePhotoError("the file tells too much of itself before its picture begins")
    items = HeifItems()
    held = {kind: (body, stop) for kind, body, stop in _inner_boxes(content, start + 4, end)}
    inside = held.get(b"idat", (0, 0))[0]
    # Each reader gets the bytes of its box alone: what goes beyond them is an error, not a read.
    for kind, read in _READERS.items():
        if kind in held:
            body, stop = held[kind]
            read(items, content[body:stop], body if kind == b"iinf" else inside)
    return items


def _read_primary(items: HeifItems, body: bytes, _inside: int) -> None:
    (items.primary,) = struct.unpack_from(">I" if body[0] else ">H", body, 4)


def _read_kinds(items: HeifItems, body: bytes, place_in_file: int) -> None:
    for kind, start, stop in _inner_boxes(body, 8 if body[0] else 6, len(body)):
        entry = body[start:stop]
        version = entry[0]
        if kind != b"infe" or version < 2:
            continue
        wide = version > 2
        item, _, name = struct.unpack_from(">IH4s" if wide else ">HH4s", entry, 4)
        items.kinds[item] = name
        items.kind_places[item] = place_in_file + start + (10 if wide else 8)
        if len(items.kinds) > MAX_ITEMS:
            raise UndecodablePhotoError(f"the file has more than {MAX_ITEMS} items")


def _read_references(items: HeifItems, body: bytes, _inside: int) -> None:
    number, size = ("I", 4) if body[0] else ("H", 2)
    total = 0
    for kind, start, stop in _inner_boxes(body, 4, len(body)):
        source, count = struct.unpack_from(f">{number}H", body[start:stop])
        total += max(count, 1)
        if total > MAX_ITEMS:
            raise UndecodablePhotoError(f"the file has more than {MAX_ITEMS} references")
        targets = struct.unpack_from(f">{count}{number}", body[start:stop], size + 2)
        items.references.append((kind, source, list(targets)))


def _read_properties(items: HeifItems, body: bytes, _inside: int) -> None:
    total = 0
    for kind, start, stop in _inner_boxes(body, 0, len(body)):
        if kind == b"ipco":
            found = _inner_boxes(body, start, stop)
            items.properties = [(k, body[b:s]) for k, b, s in found]
        elif kind == b"ipma":
            total += _read_associations(items, body[start:stop], MAX_ITEMS - total)


def _read_associations(items: HeifItems, body: bytes, max_count: int) -> int:
    """Read one box of associations; return how many items it names, at most ``max_count``."""
    wide_id, wide_index = body[0] >= 1, body[3] & 1
    (count,) = struct.unpack_from(">I", body, 4)
    if count > max_count:
        raise UndecodablePhotoError(f"the file has more than {MAX_ITEMS} items")
    position = 8
    for _ in range(count):
        item, indices = struct.unpack_from(">IB" if wide_id else ">HB", body, position)
        position += 5 if wide_id else 3
        found = struct.unpack_from(f">{indices}{'H' if wide_index else 'B'}", body, position)
        position += indices * (2 if wide_index else 1)
        items.associations[item] = [one & (0x7FFF if wide_index else 0x7F) for one in found]
    return int(count)


def _read_locations(items: HeifItems, body: bytes, inside: int) -> None:
    version = body[0]
    sizes = struct.unpack_from(">H", body, 4)[0]
    offset_size, length_size, base_size, index_size = (
        sizes >> shift & 15 for shift in (12, 8, 4, 0)
    )
    index_size = index_size if version else 0
    position = 6

    def take(count: int) -> int:
        nonlocal position
        position += count
        if position > len(body):
            raise UndecodablePhotoError("the file's list of places is shorter than it says")
        return int.from_bytes(body[position - count : position], "big")

    total = 0
    for _ in range(min(take(4 if version == 2 else 2), MAX_ITEMS + 1)):
        item = take(4 if version == 2 else 2)
        method = take(2) & 15 if version else 0
        take(2)
        origin = take(base_size) + (inside if method == 1 else 0)
        count = take(2)
        total += count
        if total > MAX_ITEMS or method > 1:
            raise UndecodablePhotoError("the file keeps its picture in too many places")
        found: list[Extent] = []
        for _ in range(count):
            take(index_size)
            offset = origin + take(offset_size)
            found.append((offset, take(length_size)))
        items.extents[item] = found


_READERS = {
    b"pitm": _read_primary,
    b"iinf": _read_kinds,
    b"iref": _read_references,
    b"iprp": _read_properties,
    b"iloc": _read_locations,
}
