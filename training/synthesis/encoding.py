"""Writes pictures small enough for a repository."""

from __future__ import annotations

from io import BytesIO

from PIL import Image

from training.foundation.arrays import ByteImage

_QUALITIES = (88, 84, 80, 76, 72)


def encode_small(picture: ByteImage, max_bytes: int) -> bytes | None:
    """Return the picture as the best JPEG of at most ``max_bytes``; ``None`` below quality 72."""
    for quality in _QUALITIES:
        stream = BytesIO()
        Image.fromarray(picture).save(stream, "JPEG", quality=quality, optimize=True)
        if stream.tell() <= max_bytes:
            return stream.getvalue()
    return None


def contact_sheet(rows: list[list[ByteImage]], side: int = 128) -> Image.Image:
    """Return one picture with all pictures in rows, each fitted into a square of ``side``."""
    sheet = Image.new("RGB", (side * max(map(len, rows)), side * len(rows)), "white")
    for down, row in enumerate(rows):
        for across, picture in enumerate(row):
            small = Image.fromarray(picture)
            small.thumbnail((side, side))
            sheet.paste(small, (across * side, down * side))
    return sheet
