"""Files as cameras, broken uploads and enemies send them, made from nothing or from a photo."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from io import BytesIO

import numpy as np
import numpy.typing as npt
from PIL import Image

from tests.vision.pictures import Pixels, encoded, smooth_noise

EOI = b"\xff\xd9"


def segment(marker: int, body: bytes) -> bytes:
    """Return one JPEG segment."""
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


def behind_start(jpeg: bytes, inserted: bytes) -> bytes:
    """Return a JPEG with something put behind its first marker."""
    return jpeg[:2] + inserted + jpeg[2:]


def multi_picture_header(size: int) -> bytes:
    """Return the APP2 segment that makes an MPO of a JPEG of ``size`` bytes."""
    entries = struct.pack("<IIIHH", 0x030000, size, 0, 0, 0) + struct.pack("<IIIHH", 0, 9, 0, 0, 0)
    directory = (
        struct.pack("<H", 3)
        + struct.pack("<HHI4s", 0xB000, 7, 4, b"0100")
        + struct.pack("<HHII", 0xB001, 4, 1, 2)
        + struct.pack("<HHII", 0xB002, 7, 32, 50)
        + struct.pack("<I", 0)
    )
    return segment(0xE2, b"MPF\0II*\0" + struct.pack("<I", 8) + directory + entries)


def more_scans(progressive: bytes, count: int) -> bytes:
    """Return a progressive JPEG whose last scan comes ``count`` times more."""
    last = progressive[progressive.rindex(b"\xff\xda") : progressive.rindex(EOI)]
    return progressive.removesuffix(EOI) + last * count + EOI


def chunk(kind: bytes, body: bytes) -> bytes:
    """Return one PNG chunk."""
    checksum = struct.pack(">I", zlib.crc32(kind + body))
    return struct.pack(">I", len(body)) + kind + body + checksum


def png(
    width: int, height: int, depth: int, colour: int, rows: bytes, between: bytes = b""
) -> bytes:
    """Return a PNG of filtered ``rows``, with other chunks before them."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + between
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def dear_png(width: int, height: int, depth: int, colour: int, row_filter: int) -> bytes:
    """Return a PNG that costs its decoder as much as it can: each row by the same filter."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    row_bytes = -(-width * channels * depth // 8)
    packer = zlib.compressobj(1)
    rows = bytes((row_filter,)) + bytes(i % 7 for i in range(row_bytes))
    data = [packer.compress(rows) for _ in range(height)] + [packer.flush()]
    palette = chunk(b"PLTE", bytes(range(256)) * 3) if colour == 3 else b""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + palette
        + chunk(b"IDAT", b"".join(data))
        + chunk(b"IEND", b"")
    )


def deep_png(pixels: npt.NDArray[np.integer]) -> bytes:
    """Return 16-bit samples ``(H, W)`` or ``(H, W, C)`` as PNG, grey, grey + alpha, RGB or RGBA."""
    height, width = pixels.shape[:2]
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    big_endian = pixels.reshape(height, width * channels).astype(">u2")
    rows = b"".join(b"\0" + row.tobytes() for row in big_endian)
    return png(width, height, 16, {1: 0, 2: 4, 3: 2, 4: 6}[channels], rows)


def run_length_bmp(data: bytes, width: int, height: int, palette: Pixels) -> bytes:
    """Return RLE8 data as a BMP with this palette ``(N, 3)``."""
    colours = b"".join(bytes((int(b), int(g), int(r), 0)) for r, g, b in palette)
    offset = 54 + len(colours)
    header = struct.pack(
        "<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(data), 2835, 2835, len(palette), 0
    )
    return b"BM" + struct.pack("<IHHI", offset + len(data), 0, 0, offset) + header + colours + data


def runs_of(indices: Pixels) -> bytes:
    """Return palette indices ``(H, W)`` as the RLE8 data of a BMP."""
    data = bytearray()
    for row in indices[::-1]:
        start = 0
        while start < len(row):
            end = start
            while end < len(row) and row[end] == row[start] and end - start < 255:
                end += 1
            data += bytes((end - start, int(row[start])))
            start = end
        data += b"\0\0"
    return bytes(data + b"\0\1")


def riff_chunk(kind: bytes, body: bytes) -> bytes:
    """Return one WebP chunk."""
    return kind + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)


def extended_webp(plain: bytes, *chunks: bytes, flags: int = 0) -> bytes:
    """Return a simple WebP as an extended one, with ``chunks`` behind its picture."""
    with Image.open(BytesIO(plain)) as photo:
        width, height = photo.size
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBP" + riff_chunk(b"VP8X", bytes((flags, 0, 0, 0)) + size) + plain[12:]
    body += b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def seeds(side: int = 96) -> dict[str, bytes]:
    """Return small honest files of every kind that this machine can write, by name."""
    noise = Image.fromarray(smooth_noise(side))
    grey, layered = noise.convert("L"), noise.convert("RGBA")
    layered.putalpha(Image.linear_gradient("L").resize(noise.size))
    exif = Image.Exif()
    exif[0x0112] = 6
    deep = ((np.asarray(grey).astype(np.int64) << 4) + 3).astype(np.uint16)
    frames = {"save_all": True, "append_images": [grey.convert("RGB")] * 3}
    return {
        "baseline": encoded(noise, "JPEG", exif=exif),
        "restarts": encoded(noise, "JPEG", restart_marker_rows=1),
        "progressive": encoded(noise, "JPEG", progressive=True, subsampling=0),
        "grey jpeg": encoded(grey, "JPEG"),
        "cmyk": encoded(noise.convert("CMYK"), "JPEG"),
        "mpo": encoded(noise, "MPO", save_all=True, append_images=[grey.convert("RGB")]),
        "png": encoded(noise, "PNG", exif=exif),
        "png with alpha": encoded(layered, "PNG"),
        "palette": encoded(noise.quantize(16), "PNG", transparency=3),
        "bits": encoded(noise.convert("1"), "PNG"),
        "deep png": deep_png(deep),
        "apng": encoded(noise, "PNG", **frames),
        "webp": encoded(noise, "WEBP", quality=70, exif=exif),
        "lossless webp": encoded(layered, "WEBP", lossless=True),
        "webp with alpha": encoded(layered, "WEBP", quality=50),
        "moving webp": encoded(noise, "WEBP", **frames),
        "bmp": encoded(noise, "BMP"),
        "bmp palette": encoded(noise.quantize(16), "BMP"),
        "bmp runs": run_length_bmp(
            runs_of(np.asarray(noise.quantize(16))), side, side, smooth_noise(16)[0]
        ),
        "avif": encoded(noise, "AVIF", speed=10),
        "avif with alpha": encoded(layered, "AVIF", speed=10),
        "moving avif": encoded(noise, "AVIF", speed=10, **frames),
    }


def fuzzed(honest: dict[str, bytes], count: int, seed: int = 0) -> Iterator[tuple[str, bytes]]:
    """Yield ``count`` damaged files with what was done to them, the same ones for each seed."""
    rng = np.random.default_rng(seed)
    names = sorted(honest)
    for number in range(count):
        name = names[number % len(names)]
        kind = KINDS[int(rng.integers(len(KINDS)))]
        yield f"{number} {name} {kind.__name__}", kind(honest[name], rng)


def _changed_bytes(content: bytes, rng: np.random.Generator) -> bytes:
    data = bytearray(content)
    for _ in range(int(rng.integers(1, 9))):
        data[int(rng.integers(len(data)))] = int(rng.integers(256))
    return bytes(data)


def _changed_header(content: bytes, rng: np.random.Generator) -> bytes:
    data = bytearray(content)
    for _ in range(int(rng.integers(1, 5))):
        place = int(rng.integers(min(len(data), 400)))
        data[place] = int(rng.choice((0, 1, 2, 0x7F, 0x80, 0xFE, 0xFF)))
    return bytes(data)


def _larger_number(content: bytes, rng: np.random.Generator) -> bytes:
    data = bytearray(content)
    place = int(rng.integers(min(len(data) - 4, 300)))
    width = int(rng.choice((2, 4)))
    value = int(rng.choice((4_000, 6_000, 16_383, 40_000, 65_535)))
    number = value.to_bytes(width, "big")
    data[place : place + width] = number if rng.integers(2) else number[::-1]
    return bytes(data)


def _cut(content: bytes, rng: np.random.Generator) -> bytes:
    return content[: int(rng.integers(1, len(content)))]


def _lost_middle(content: bytes, rng: np.random.Generator) -> bytes:
    start = int(rng.integers(len(content)))
    return content[:start] + content[start + int(rng.integers(1, 2_000)) :]


def _repeated_part(content: bytes, rng: np.random.Generator) -> bytes:
    start = int(rng.integers(len(content)))
    length = int(rng.integers(1, 400))
    times = min(int(10 ** rng.uniform(0, 5)), 3_000_000 // length)
    return content[:start] + content[start : start + length] * times + content[start:]


def _inserted_noise(content: bytes, rng: np.random.Generator) -> bytes:
    start = int(rng.integers(len(content)))
    return content[:start] + rng.bytes(int(10 ** rng.uniform(0, 5))) + content[start:]


KINDS: tuple[Callable[[bytes, np.random.Generator], bytes], ...] = (
    _changed_bytes,
    _changed_header,
    _larger_number,
    _cut,
    _lost_middle,
    _repeated_part,
    _inserted_noise,
)
