"""Pictures of images: the hardest pairs, and what single queries were answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from matplotlib.patches import Rectangle

from training.foundation.arrays import ByteImage
from training.metrics.hardest import HardestPairs, PairFound, RankedQuery
from training.metrics.identification import IdentifiedQuery
from training.report.canvas import (
    BLACK,
    BLUE,
    GREY,
    ORANGE,
    Drawn,
    new_figure,
    save_figure,
    shortened,
)
from training.report.sheets import probability_text

#: Gives the uint8 RGB ``(height, width, 3)`` picture of a key.
PictureOf = Callable[[str], ByteImage]

TILE = 128
GAP = 6
PAIRS_IN_A_ROW = 4
HEADER, ABOVE, BELOW, MARGIN = 0.4, 0.36, 0.2, 0.06  # inches


def square_tile(picture: ByteImage) -> ByteImage:
    """Return the picture, whole, in the middle of a light 128 px square; grey becomes RGB."""
    if picture.ndim == 2:
        picture = np.repeat(picture[:, :, None], 3, axis=2)
    height, width = picture.shape[:2]
    scale = TILE / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST
    small = cv2.resize(picture, size, interpolation=way)
    tile = np.full((TILE, TILE, 3), 238, np.uint8)
    top, left = (TILE - size[1]) // 2, (TILE - size[0]) // 2
    tile[top : top + size[1], left : left + size[0]] = small
    return tile


class TileSheet:
    """A sheet of framed tiles with a line or two above each and one below.

    One pair of axes holds them all, in inches: axes for each tile would take seconds.
    """

    def __init__(self, title: str, rows: int, columns: int, tile: tuple[float, float]) -> None:
        """Make an empty sheet of so many tiles, each of so many inches: ``(width, height)``."""
        self._cell = (tile[0] + 2 * MARGIN, tile[1] + ABOVE + BELOW)
        self._tile = tile
        self._columns = columns
        width, self._height = columns * self._cell[0], rows * self._cell[1] + HEADER
        self.figure = new_figure(width, self._height, arranged=False)
        self._axes = self.figure.add_axes((0.0, 0.0, 1.0, 1.0))
        self._axes.set_axis_off()
        self._axes.set_xlim(0, width)
        self._axes.set_ylim(0, self._height)
        self._axes.text(width / 2, self._height - 0.08, title, ha="center", va="top", fontsize=12)

    def add(self, place: int, tile: ByteImage, colour: str, above: str, below: str) -> None:
        """Draw a tile at ``place``, counted row by row from the upper left."""
        row, column = divmod(place, self._columns)
        left = column * self._cell[0] + MARGIN
        top = self._height - HEADER - row * self._cell[1] - ABOVE
        width, height = self._tile
        extent = (left, left + width, top - height, top)
        self._axes.imshow(tile, extent=extent, aspect="auto", interpolation="antialiased")
        self._axes.add_patch(
            Rectangle((left, top - height), width, height, fill=False, color=colour, linewidth=2.5)
        )
        centre = left + width / 2
        self._axes.text(centre, top + 0.04, above, ha="center", va="bottom", fontsize=8)
        self._axes.text(centre, top - height - 0.04, below, ha="center", va="top", fontsize=7)


def draw_hardest(pairs: HardestPairs, picture_of: PictureOf, path: Path) -> Drawn:
    """Draw the least similar pairs of one identity and the most similar of two."""
    kinds = [("one identity", BLUE, pairs.genuine), ("two identities", ORANGE, pairs.impostor)]
    rows = [-(-len(found) // PAIRS_IN_A_ROW) for _, _, found in kinds]
    sheet = TileSheet("Hardest pairs", sum(rows), PAIRS_IN_A_ROW, (2.25, 1.1))
    for (kind, colour, found), first_row in zip(kinds, (0, rows[0]), strict=True):
        for place, pair in enumerate(found):
            above = f"{kind}\ns {pair.similarity:.3f}   d {pair.distance:.3f}"
            names = dict.fromkeys(shortened(label, 17) for label in pair.labels)
            sheet.add(
                first_row * PAIRS_IN_A_ROW + place,
                _side_by_side(pair, picture_of),
                colour,
                above,
                "  |  ".join(names),
            )
    return save_figure(
        sheet.figure,
        path,
        "Hardest pairs",
        "Framed blue: one identity, least similar first. Framed orange: two identities, most "
        "similar first. s: cosine similarity; d: Euclidean distance of the unit vectors.",
    )


def draw_queries(
    queries: Sequence[RankedQuery], picture_of: PictureOf, path: Path, title: str, caption: str
) -> Drawn:
    """Draw each query and its nearest gallery images; raises ``ValueError`` for no query.

    A hit of the query's own identity is framed blue and says "same", any other is framed orange and
    says "other"; where the query's identity is not known, nothing is said.
    """
    if not queries:
        raise ValueError("no query to draw")
    columns = 1 + max(len(query.hits) for query in queries)
    sheet = TileSheet(title, len(queries), columns, (1.3, 1.3))
    for row, query in enumerate(queries):
        tile = square_tile(picture_of(query.key))
        sheet.add(row * columns, tile, BLACK, "query", shortened(query.label or query.key, 20))
        for place, hit in enumerate(query.hits, start=1):
            colour, word = _verdict(query.label, hit.label)
            sheet.add(
                row * columns + place,
                square_tile(picture_of(hit.key)),
                colour,
                f"{place}: {hit.similarity:.3f}{word}",
                shortened(hit.label or hit.key, 20),
            )
    return save_figure(sheet.figure, path, title, caption)


def draw_identities(
    queries: Sequence[IdentifiedQuery],
    picture_of: PictureOf,
    path: Path,
    title: str,
    caption: str,
) -> Drawn:
    """Draw each query, its verdict, and the nearest identities; raises ``ValueError`` for no query.

    An identity is shown by its enrolled image nearest to the query. A query is framed blue where
    its verdict is right and, of a known one, its own identity is first; orange otherwise.
    """
    if not queries:
        raise ValueError("no query to draw")
    columns = 1 + max(len(query.hits) for query in queries)
    sheet = TileSheet(title, len(queries), columns, (1.3, 1.3))
    for row, query in enumerate(queries):
        colour = GREY
        if query.verdict is not None:
            colour = BLUE if _is_right(query) else ORANGE
        sheet.add(
            row * columns,
            square_tile(picture_of(query.key)),
            colour,
            f"verdict: {query.verdict or 'none'}\nnobody: {probability_text(query.nobody)}",
            shortened(query.label or query.key, 20),
        )
        for place, hit in enumerate(query.hits, start=1):
            frame, word = _verdict(query.label, hit.label)
            sheet.add(
                row * columns + place,
                square_tile(picture_of(hit.key)),
                frame,
                f"{place}: {hit.similarity:.3f}{word}\n{probability_text(hit.probability)}",
                shortened(hit.label, 20),
            )
    return save_figure(sheet.figure, path, title, caption)


def _is_right(query: IdentifiedQuery) -> bool:
    if not query.known:
        return query.verdict == "unknown"
    return query.verdict == "known" and query.hits[0].label == query.label


def _verdict(expected: str | None, answered: str | None) -> tuple[str, str]:
    """Return colour and word of a hit."""
    if expected is None:
        return GREY, ""
    return (BLUE, " same") if expected == answered else (ORANGE, " other")


def _side_by_side(pair: PairFound, picture_of: PictureOf) -> ByteImage:
    """Return both pictures of a pair, uint8 RGB ``(128, 262, 3)``."""
    one, other = (square_tile(picture_of(key)) for key in pair.keys)
    return np.hstack([one, np.full((TILE, GAP, 3), 255, np.uint8), other])
