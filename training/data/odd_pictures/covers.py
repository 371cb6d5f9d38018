"""Renderings in which something lies over the face: mask, glasses, bar, hand, hat, scarf."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from app.domain.faces import Picture
from training.data.odd_pictures.portrait import Portrait, as_picture
from training.foundation.arrays import FloatArray

_EYES, _NOSE, _MOUTH = 51.6, 71.7, 92.3
_LEFT, _RIGHT = 38.3, 73.5


def masked(portrait: Portrait, random: np.random.Generator) -> Picture:
    """Return a face in a surgical mask with pleats, from the bridge of the nose to the chin."""
    top = 62 + random.uniform(-3, 3)
    outline = [(24, top + 4), (56, top - 4), (88, top + 4), (86, 100), (56, 122), (26, 100)]
    colour = np.array([150, 190, 215]) + random.uniform(-35, 35, 3)
    picture = _filled(portrait, portrait.picture, outline, colour)
    for row in (top + 10, top + 20, top + 30):
        picture = _line(portrait, picture, (28, row), (84, row), colour * 0.8, 1.2)
    for side, ear in ((24, 6), (88, 106)):
        picture = _line(portrait, picture, (side, top + 5), (ear, 58), colour * 1.05, 1.5)
    return picture


def in_sunglasses(portrait: Portrait, random: np.random.Generator) -> Picture:
    """Return a face behind dark glasses."""
    tint = random.uniform(5, 45, 3)
    picture = portrait.picture
    for eye in (_LEFT, _RIGHT):
        picture = _ellipse(portrait, picture, (eye, _EYES + 2), (16, 12.5), tint)
    picture = _line(portrait, picture, (50, _EYES - 1), (62, _EYES - 1), tint, 3)
    for eye, ear in ((24, 6), (88, 106)):
        picture = _line(portrait, picture, (eye, _EYES - 2), (ear, _EYES - 4), tint, 3)
    return picture


def barred(portrait: Portrait, _random: np.random.Generator) -> Picture:
    """Return a face with the black bar over its eyes that newspapers print."""
    bar = [(16, _EYES - 9), (96, _EYES - 9), (96, _EYES + 9), (16, _EYES + 9)]
    return _filled(portrait, portrait.picture, bar, np.zeros(3))


def behind_a_hand(portrait: Portrait, random: np.random.Generator) -> Picture:
    """Return a face with a hand, of its own skin's colour, before one side or the mouth."""
    patch = portrait.place([(30, 76), (82, 76), (56, 62)]).round().astype(int)
    height, width = portrait.picture.shape[:2]
    rows, columns = np.clip(patch[:, 1], 0, height - 1), np.clip(patch[:, 0], 0, width - 1)
    skin = portrait.picture[rows, columns].mean(axis=0)
    picture = portrait.picture
    before_the_mouth = bool(random.integers(2))
    for finger in range(4):
        tone = skin * random.uniform(0.82, 1.0)
        if before_the_mouth:
            row = 78 + 11 * finger
            ends = ((112.0, row + 4.0), (30.0 + 5 * abs(finger - 1), float(row)))
        else:
            column = 62 + 11 * finger
            ends = ((column + 4.0, 118.0), (float(column), 36.0 + 6 * abs(finger - 1)))
        picture = _line(portrait, picture, *ends, tone * 0.75, 12)
        picture = _line(portrait, picture, *ends, tone, 10)
    return picture


def under_a_hat(portrait: Portrait, random: np.random.Generator) -> Picture:
    """Return a face under a hat whose brim reaches the brows and shades the eyes."""
    colour = random.uniform(10, 150, 3)
    crown = [(14, 40), (22, -10), (90, -10), (98, 40)]
    shade = [(10, 36), (102, 36), (98, 62), (14, 62)]
    dark = _filled(portrait, portrait.picture, shade, np.zeros(3))
    picture = as_picture(0.45 * portrait.picture + 0.55 * dark)
    picture = _filled(portrait, picture, crown, colour)
    return _ellipse(portrait, picture, (56, 38), (58, 9), colour * 0.8)


def in_a_scarf(portrait: Portrait, random: np.random.Generator) -> Picture:
    """Return a face behind a patterned scarf that leaves the eyes free."""
    colours = random.uniform(20, 230, (2, 3))
    veil = [(4, 64), (56, 60), (108, 64), (112, 130), (0, 130)]
    hood = [(0, 130), (-6, 20), (56, -20), (118, 20), (112, 130), (98, 66), (92, 36), (20, 36)]
    hood += [(14, 66)]
    picture = _filled(portrait, portrait.picture, hood, colours[0])
    picture = _filled(portrait, picture, veil, colours[0])
    for row in range(66, 128, 12):
        for column in range(8, 106, 12):
            picture = _ellipse(portrait, picture, (column, row), (2.5, 2.5), colours[1])
    return picture


def _filled(
    portrait: Portrait,
    picture: Picture,
    outline: Sequence[tuple[float, float]],
    colour: FloatArray,
) -> Picture:
    """Paint a polygon given in pixels of the aligned crop."""
    points = portrait.place(outline).round().astype(np.int32)
    return _painted(cv2.fillPoly(picture.copy(), [points], _rgb(colour), cv2.LINE_AA))


def _line(
    portrait: Portrait,
    picture: Picture,
    start: tuple[float, float],
    end: tuple[float, float],
    colour: FloatArray,
    thickness: float,
) -> Picture:
    first, second = portrait.place([start, end]).round().astype(int).tolist()
    width = max(1, round(thickness * portrait.pixel))
    return _painted(
        cv2.line(picture.copy(), tuple(first), tuple(second), _rgb(colour), width, cv2.LINE_AA)
    )


def _ellipse(
    portrait: Portrait,
    picture: Picture,
    centre: tuple[float, float],
    axes: tuple[float, float],
    colour: FloatArray,
) -> Picture:
    around = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    points = np.stack([np.cos(around), np.sin(around)], axis=1) * axes + centre
    return _filled(portrait, picture, [(x, y) for x, y in points.tolist()], colour)


def _rgb(colour: FloatArray) -> tuple[float, float, float]:
    red, green, blue = np.clip(colour, 0, 255).tolist()
    return (red, green, blue)


def _painted(picture: npt.NDArray[np.generic]) -> Picture:
    return as_picture(picture)
