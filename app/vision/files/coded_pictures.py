"""How large the pictures inside HEVC and AV1 data are; what their container says may be a lie."""

from __future__ import annotations

from collections.abc import Iterator

from app.domain.photo_errors import UndecodablePhotoError

_MAX_HEADER_BYTES = 4_096
_SEQUENCE_PARAMETERS = 33  # HEVC NAL unit type
_FIRST_NON_VIDEO = 32
_AV1_SEQUENCE, _AV1_FRAMES = 1, (3, 6)


class _Bits:
    """Reads bits from the most significant on; behind the end there are zeros."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = 8 * len(data)

    def take(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise UndecodablePhotoError("the picture's header is cut")
        return self._value >> self._left & ((1 << count) - 1)

    def take_golomb(self) -> int:
        """Return an exponential-Golomb code, HEVC's ue(v)."""
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > 31:
                raise UndecodablePhotoError("the picture's header is broken")
        return (1 << zeros) - 1 + self.take(zeros)


def hevc_sizes(units: Iterator[bytes]) -> tuple[list[tuple[int, int]], int]:
    """Return width and height of each sequence in HEVC's NAL units, and how many pictures begin."""
    sizes: list[tuple[int, int]] = []
    pictures = 0
    for unit in units:
        if len(unit) < 3:
            continue
        kind = unit[0] >> 1 & 0x3F
        if kind == _SEQUENCE_PARAMETERS:
            sizes.append(_hevc_sequence_size(unit))
        elif kind < _FIRST_NON_VIDEO:
            pictures += unit[2] >> 7  # the first slice of a picture
    return sizes, pictures


def length_prefixed(data: bytes, prefix: int, max_units: int) -> Iterator[bytes]:
    """Yield the units of data in which each has its length before it."""
    position = 0
    for _ in range(max_units):
        if position + prefix > len(data):
            return
        start = position + prefix
        position = start + int.from_bytes(data[position:start], "big")
        yield data[start:position]
    raise UndecodablePhotoError(f"the picture has more than {max_units} units")


def _hevc_sequence_size(unit: bytes) -> tuple[int, int]:
    """Return width and height of a sequence parameter set (ITU-T H.265, 7.3.2.2)."""
    # A 3 that keeps zeros from looking like a start code is no part of the data.
    bits = _Bits(unit[2:_MAX_HEADER_BYTES].replace(b"\0\0\3", b"\0\0"))
    bits.take(4)
    layers = bits.take(3)
    bits.take(1)
    bits.take(88)  # the profile
    bits.take(8)
    present = [(bits.take(1), bits.take(1)) for _ in range(layers)]
    if layers:
        bits.take(2 * (8 - layers))
    for profile, level in present:
        bits.take(88 * profile + 8 * level)
    bits.take_golomb()
    if bits.take_golomb() == 3:
        bits.take(1)
    return bits.take_golomb(), bits.take_golomb()


def av1_sizes(data: bytes, max_units: int) -> tuple[list[tuple[int, int]], int]:
    """Return width and height of each sequence in AV1's units, and how many frames there are."""
    sizes: list[tuple[int, int]] = []
    frames = 0
    position = 0
    for _ in range(max_units):
        if position >= len(data):
            return sizes, frames
        kind, has_extension, has_length = (
            data[position] >> 3 & 15,
            data[position] >> 2 & 1,
            data[position] >> 1 & 1,
        )
        position += 1 + has_extension
        length = len(data) - position
        if has_length:
            length = shift = 0
            for byte in data[position : position + 8]:
                position += 1
                length |= (byte & 0x7F) << shift
                shift += 7
                if not byte & 0x80:
                    break
        if kind == _AV1_SEQUENCE:
            sizes.append(_av1_sequence_size(data[position : position + length]))
        frames += kind in _AV1_FRAMES
        position += length
    raise UndecodablePhotoError(f"the picture has more than {max_units} units")


def _av1_sequence_size(unit: bytes) -> tuple[int, int]:
    """Return the largest width and height of a sequence header (AV1, 5.5.1)."""
    bits = _Bits(unit[:_MAX_HEADER_BYTES])
    bits.take(4)
    if bits.take(1):  # of a still picture, reduced
        bits.take(5)
    else:
        if bits.take(1):
            raise UndecodablePhotoError("the AVIF is a film")  # with times of its frames
        has_delays = bits.take(1)
        for _ in range(bits.take(5) + 1):
            bits.take(12)
            if bits.take(5) > 7:
                bits.take(1)
            if has_delays and bits.take(1):
                bits.take(4)
    width_bits, height_bits = bits.take(4) + 1, bits.take(4) + 1
    return bits.take(width_bits) + 1, bits.take(height_bits) + 1
