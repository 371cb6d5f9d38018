"""Pictures of images: the hardest pairs, and what single queries were answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.evaluation.hardest import HardestPairs, PairFound, RankedQuery
from training.report.canvas import (
    BLACK,
    BLUE,
    ORANGE,
    Drawn,
    new_figure,
    save_figure,
    shortened,
)

#: Gives the uint8 RGB ``(height, width, 3)`` picture of a key.
PictureOf = Callable[[str], npt.NDArray[np.uint8]]

TILE = 128
GAP = 6
PAIRS_IN_A_ROW = 4
HEADER = 0.5  # inches


def square_tile(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
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


def draw_hardest(pairs: HardestPairs, picture_of: PictureOf, path: Path) -> Drawn:
    """Draw the least similar pairs of one identity and the most similar of two."""
    kinds = [
        (kind, found)
        for kind, found in (("one identity", pairs.genuine), ("two identities", pairs.impostor))
        if found
    ]
    rows = sum(-(-len(found) // PAIRS_IN_A_ROW) for _, found in kinds)
    figure = new_figure(9.6, 1.95 * rows + HEADER, arranged=False)
    row = 0
    for kind, found in kinds:
        for place, pair in enumerate(found):
            number = (row + place // PAIRS_IN_A_ROW) * PAIRS_IN_A_ROW + place % PAIRS_IN_A_ROW
            axes = _tile_axes(figure, rows, PAIRS_IN_A_ROW, number)
            _draw_pair(axes, kind, pair, picture_of)
        row += -(-len(found) // PAIRS_IN_A_ROW)
    _header(figure, "Hardest pairs")
    return save_figure(
        figure,
        path,
        "Hardest pairs",
        "Framed blue: one identity, least similar first. Framed orange: two identities, most "
        "similar first. s: cosine similarity; d: Euclidean distance of the unit vectors.",
    )


def draw_queries(
    queries: Sequence[RankedQuery], picture_of: PictureOf, path: Path, title: str, caption: str
) -> Drawn:
    """Draw each query and its nearest gallery images; raises ``ValueError`` for no query.

    A hit of the query's own identity is framed blue and says "same", any other is framed orange.
    """
    if not queries:
        raise ValueError("no query to draw")
    columns = 1 + max(len(query.hits) for query in queries)
    figure = new_figure(1.45 * columns, 1.85 * len(queries) + HEADER, arranged=False)
    for row, query in enumerate(queries):
        axes = _tile_axes(figure, len(queries), columns, row * columns)
        _draw_tile(axes, square_tile(picture_of(query.key)), BLACK, "query")
        axes.set_xlabel(shortened(query.label or query.key, 20), fontsize=7, labelpad=2)
        for place, hit in enumerate(query.hits):
            axes = _tile_axes(figure, len(queries), columns, row * columns + place + 1)
            same = query.label is not None and hit.label == query.label
            word = " same" if same else ("" if query.label is None else " other")
            colour = BLUE if same else ORANGE
            text = f"{place + 1}: {hit.similarity:.3f}{word}"
            _draw_tile(axes, square_tile(picture_of(hit.key)), colour, text)
            axes.set_xlabel(shortened(hit.label or hit.key, 20), fontsize=7, labelpad=2)
    _header(figure, title)
    return save_figure(figure, path, title, caption)


def _tile_axes(figure: Figure, rows: int, columns: int, place: int) -> Axes:
    """Return the axes of one tile, with room for two lines above and one below."""
    width, height = figure.get_size_inches()
    row, column = divmod(place, columns)
    cell_width, cell_height = width / columns, (height - HEADER) / rows
    bottom = height - HEADER - (row + 1) * cell_height + 0.2
    return figure.add_axes(
        (
            (column * cell_width + 0.05) / width,
            bottom / height,
            (cell_width - 0.1) / width,
            (cell_height - 0.55) / height,
        )
    )


def _header(figure: Figure, title: str) -> None:
    height = figure.get_size_inches()[1]
    figure.text(0.5, 1 - 0.15 / height, title, ha="center", va="top", fontsize=12)


def _draw_pair(axes: Axes, kind: str, pair: PairFound, picture_of: PictureOf) -> None:
    one, other = (square_tile(picture_of(key)) for key in pair.keys)
    gap = np.full((TILE, GAP, 3), 255, np.uint8)
    text = f"{kind}\ns {pair.similarity:.3f}   d {pair.distance:.3f}"
    colour = BLUE if pair.labels[0] == pair.labels[1] else ORANGE
    _draw_tile(axes, np.hstack([one, gap, other]), colour, text)
    names = dict.fromkeys(shortened(label, 17) for label in pair.labels)
    axes.set_xlabel("  |  ".join(names), fontsize=7, labelpad=2)


def _draw_tile(axes: Axes, tile: npt.NDArray[np.uint8], colour: str, text: str) -> None:
    axes.imshow(tile)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_color(colour)
    axes.spines[:].set_linewidth(2.5)
    axes.set_title(text, fontsize=8, pad=3)
