"""Renderings that move pixels: turned, tilted, cut by the frame, bent, stretched."""

from __future__ import annotations

import math

import cv2
import numpy as np

from app.domain.faces import Picture
from training.data.odd_pictures.portrait import Portrait, Rendering, as_picture, remapped
from training.foundation.arrays import FloatArray

_CLOSE_SIDE = 256
_CLOSE_SHARE = 56.0


def turned(quarters: int) -> Rendering:
    """Return a rendering turned clockwise by quarters of a circle."""

    def render(portrait: Portrait, _random: np.random.Generator) -> Picture:
        return as_picture(np.rot90(portrait.picture, -quarters))

    return render


def upside_down(portrait: Portrait, _random: np.random.Generator) -> Picture:
    """Return the picture mirrored upside down, as a pond shows it."""
    return as_picture(portrait.picture[::-1])


def tilted(degrees: float) -> Rendering:
    """Return a rendering tilted around the face, to the left or to the right."""

    def render(portrait: Portrait, random: np.random.Generator) -> Picture:
        side = float(random.choice([-1.0, 1.0]))
        return _moved(portrait, side * degrees, 1.0)

    return render


def half_size(portrait: Portrait, _random: np.random.Generator) -> Picture:
    """Return the picture at half its size inside a frame of the same size."""
    return _moved(portrait, 0.0, 0.5)


def close_up(portrait: Portrait, _random: np.random.Generator) -> Picture:
    """Return the middle half of the aligned crop, brows to lips, as the whole frame."""
    scale = _CLOSE_SIDE / (_CLOSE_SHARE * portrait.pixel)
    motion = np.hstack([scale * np.eye(2), (_CLOSE_SIDE / 2 - scale * portrait.centre)[:, None]])
    return _warped(portrait.picture, motion, (_CLOSE_SIDE, _CLOSE_SIDE))


def cut_below(portrait: Portrait, _random: np.random.Generator) -> Picture:
    """Return the picture whose lower border runs between nose and mouth."""
    row = portrait.landmarks[2:, 1].mean()
    return as_picture(portrait.picture[: _inside(row, portrait.picture.shape[0])])


def cut_above(portrait: Portrait, _random: np.random.Generator) -> Picture:
    """Return the picture whose upper border runs through the eyes."""
    row = portrait.landmarks[:2, 1].mean()
    return as_picture(portrait.picture[_inside(row, portrait.picture.shape[0]) :])


def cut_at_the_side(portrait: Portrait, random: np.random.Generator) -> Picture:
    """Return the picture whose left or right border runs along the nose."""
    column = _inside(portrait.landmarks[2, 0], portrait.picture.shape[1])
    left = bool(random.integers(2))
    return as_picture(portrait.picture[:, :column] if left else portrait.picture[:, column:])


def mirrored_half(portrait: Portrait, random: np.random.Generator) -> Picture:
    """Return a face whose one half is the mirror image of the other."""
    picture = portrait.picture[:, ::-1] if random.integers(2) else portrait.picture
    middle = portrait.landmarks[:, 0].mean()
    if picture is not portrait.picture:
        middle = picture.shape[1] - 1 - middle
    column = _inside(middle, picture.shape[1])
    columns = np.arange(picture.shape[1])
    mirrored = np.where(columns < column, columns, 2 * column - 1 - columns)
    return as_picture(picture[:, np.clip(mirrored, 0, picture.shape[1] - 1)])


def stretched(across: int, down: int) -> Rendering:
    """Return a rendering so many times as wide and as high."""

    def render(portrait: Portrait, _random: np.random.Generator) -> Picture:
        height, width = portrait.picture.shape[:2]
        size = (width * across, height * down)
        return as_picture(cv2.resize(portrait.picture, size, interpolation=cv2.INTER_LINEAR))

    return render


def swirled(portrait: Portrait, random: np.random.Generator) -> Picture:
    """Return a face turned the more the nearer to its middle, by up to 80 degrees."""
    rows, columns = _grid(portrait.picture)
    across, down = columns - portrait.centre[0], rows - portrait.centre[1]
    radius = np.hypot(across, down) / (45 * portrait.pixel)
    max_angle = math.radians(80) * float(random.choice([-1.0, 1.0]))
    angle = np.arctan2(down, across) + max_angle * np.exp(-(radius**2))
    length = np.hypot(across, down)
    return remapped(
        portrait.picture,
        portrait.centre[0] + length * np.cos(angle),
        portrait.centre[1] + length * np.sin(angle),
    )


def rippled(portrait: Portrait, random: np.random.Generator) -> Picture:
    """Return the picture as seen through ribbed glass."""
    rows, columns = _grid(portrait.picture)
    period, height = 22 * portrait.pixel, 4.5 * portrait.pixel
    phases = random.uniform(0, 2 * math.pi, 2)
    across = columns + height * np.sin(2 * math.pi * rows / period + phases[0])
    down = rows + height * np.sin(2 * math.pi * columns / period + phases[1])
    return remapped(portrait.picture, across, down)


def _moved(portrait: Portrait, degrees: float, scale: float) -> Picture:
    x, y = portrait.centre.tolist()
    motion = np.asarray(cv2.getRotationMatrix2D((x, y), degrees, scale), dtype=np.float64)
    height, width = portrait.picture.shape[:2]
    return _warped(portrait.picture, motion, (width, height))


def _warped(picture: Picture, motion: FloatArray, size: tuple[int, int]) -> Picture:
    shrunk = abs(np.linalg.det(motion[:, :2])) < 1
    source = cv2.GaussianBlur(picture, (0, 0), 0.7) if shrunk else picture
    moved = cv2.warpAffine(
        source, motion, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return as_picture(moved)


def _grid(picture: Picture) -> tuple[FloatArray, FloatArray]:
    places = np.indices(picture.shape[:2]).astype(np.float64)
    return places[0], places[1]


def _inside(place: float, side: int) -> int:
    """Return a row or column that leaves a sixteenth of the picture on either side at least."""
    return min(max(round(place), side // 16), side - side // 16)
