"""Lays pictures out as one sheet: strips with a title, in them groups with a caption."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from app.domain.faces import Picture

TILE = 112
TILES_IN_A_ROW = 12
_GAP = 3
_GROUP_GAP = 14
_MARGIN = 16
_CAPTION_HEIGHT = 22
_TITLE_HEIGHT = 34
_INK, _FAINT_INK = (20, 20, 24), (90, 90, 98)

_Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@dataclass(frozen=True)
class Group:
    """Square pictures that belong together, and what is said of them."""

    pictures: tuple[Picture, ...]
    caption: str

    @property
    def width(self) -> int:
        """The width in pixels on the sheet."""
        return len(self.pictures) * (TILE + _GAP) - _GAP


@dataclass(frozen=True)
class Strip:
    """Groups under one title."""

    title: str
    groups: tuple[Group, ...]


def draw_sheet(strips: Sequence[Strip]) -> Image.Image:
    """Return the strips one below the other as an RGB picture.

    Small pictures are enlarged pixel by pixel, so that what a network sees stays visible.
    """
    title_font, caption_font = ImageFont.load_default(18), ImageFont.load_default(13)
    rows = [(strip, list(_rows(strip.groups))) for strip in strips]
    row_height = TILE + _CAPTION_HEIGHT
    height = 2 * _MARGIN + sum(_TITLE_HEIGHT + row_height * len(lines) for _, lines in rows)
    width = 2 * _MARGIN + max([_row_width(line) for _, lines in rows for line in lines], default=0)
    sheet = Image.new("RGB", (max(width, 640), height), "white")
    pen = ImageDraw.Draw(sheet)
    down = _MARGIN
    for strip, lines in rows:
        pen.text((_MARGIN, down + 8), strip.title, _INK, title_font)
        down += _TITLE_HEIGHT
        for line in lines:
            _draw_row(sheet, pen, line, down, caption_font)
            down += row_height
    return sheet


def unreadable_tile() -> Picture:
    """Return what stands for a picture that cannot be read: a crossed grey square."""
    image = Image.new("RGB", (TILE, TILE), (205, 205, 210))
    pen = ImageDraw.Draw(image)
    pen.line((0, 0, TILE, TILE), (150, 60, 60), 3)
    pen.line((0, TILE, TILE, 0), (150, 60, 60), 3)
    return np.array(image)


def _rows(groups: Sequence[Group]) -> Iterator[list[Group]]:
    """Yield groups by rows of at most ``TILES_IN_A_ROW`` tiles; a longer group fills its own."""
    row: list[Group] = []
    for group in groups:
        filled = sum(len(other.pictures) for other in row)
        if row and filled + len(group.pictures) > TILES_IN_A_ROW:
            yield row
            row = []
        row.append(group)
    if row:
        yield row


def _row_width(row: Sequence[Group]) -> int:
    return sum(group.width for group in row) + _GROUP_GAP * (len(row) - 1)


def _draw_row(
    sheet: Image.Image, pen: ImageDraw.ImageDraw, row: Sequence[Group], down: int, font: _Font
) -> None:
    across = _MARGIN
    for group in row:
        for place, picture in enumerate(group.pictures):
            tile = Image.fromarray(picture)
            small = max(tile.size) < TILE
            how = Image.Resampling.NEAREST if small else Image.Resampling.LANCZOS
            sheet.paste(tile.resize((TILE, TILE), how), (across + place * (TILE + _GAP), down))
        caption = _cut(group.caption, group.width, font)
        pen.text((across, down + TILE + 3), caption, _FAINT_INK, font)
        across += group.width + _GROUP_GAP


def _cut(text: str, width: int, font: _Font) -> str:
    """Return the text, shortened so that it fits."""
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "...") > width:
        text = text[:-1]
    return text + "..."
