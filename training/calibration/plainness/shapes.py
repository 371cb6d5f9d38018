"""Random shapes and fills in pixels of the aligned crop, painted onto a portrait."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from app.domain.faces import Picture
from training.data.odd_pictures.portrait import Portrait, as_picture
from training.foundation.arrays import FloatArray, Matrix

#: Gives the colours ``(H, W, 3)``, 0 to 255, of what covers a picture.
Fill = Callable[[Picture, np.random.Generator], Matrix]

#: The brows' and the mouth's rows and the face's middle column in the aligned crop, and its eyes.
MIDDLE, BROWS, EYES, NOSE, MOUTH, CHIN = 56.0, 41.0, 51.6, 71.7, 92.3, 110.0
EYE_COLUMNS = (38.3, 73.5)
_FIXED_POINT = 4  # bits of the fractions that OpenCV draws with


def polygon(portrait: Portrait, outline: npt.ArrayLike) -> Matrix:
    """Return the coverage of a polygon ``(N, 2)`` in pixels of the aligned crop."""
    points = np.rint(portrait.place(outline) * 2**_FIXED_POINT).astype(np.int32)
    drawn = np.zeros(portrait.picture.shape[:2], np.uint8)
    cv2.fillPoly(drawn, [points], 255, cv2.LINE_AA, _FIXED_POINT)
    return np.asarray(drawn / 255, dtype=np.float32)


def strokes(portrait: Portrait, lines: Sequence[npt.ArrayLike], width: float) -> Matrix:
    """Return the coverage of open lines, each ``(N, 2)``, of a ``width`` in pixels of the crop."""
    drawn = np.zeros(portrait.picture.shape[:2], np.uint8)
    thickness = max(1, round(width * portrait.pixel))
    for line in lines:
        points = np.rint(portrait.place(line) * 2**_FIXED_POINT).astype(np.int32)
        cv2.polylines(drawn, [points], False, 255, thickness, cv2.LINE_AA, _FIXED_POINT)
    return np.asarray(drawn / 255, dtype=np.float32)


def blob(
    random: np.random.Generator, centre: tuple[float, float], radii: tuple[float, float]
) -> FloatArray:
    """Return a random outline ``(N, 2)`` around a centre: round, angular, a star or irregular."""
    corners = int(random.integers(3, 9)) if random.random() < 0.4 else 40
    around = np.linspace(0, 2 * math.pi, corners, endpoint=False) + random.uniform(0, math.pi)
    reach = np.ones(corners)
    for wave in range(2, 6):
        height, phase = random.normal(0, 0.35 / wave), random.uniform(0, 2 * math.pi)
        reach += height * np.cos(wave * around + phase)
    if corners == 40 and random.random() < 0.4:  # a superellipse, as glasses and screens are
        power = random.uniform(2.0, 6.0)
        reach *= (np.abs(np.cos(around)) ** power + np.abs(np.sin(around)) ** power) ** (-1 / power)
    points = np.stack([np.cos(around), np.sin(around)], axis=1) * reach[:, None] * radii
    return turned(points, random.uniform(-0.3, 0.3)) + centre


def curve(random: np.random.Generator, height: float, bend: float, roughness: float) -> FloatArray:
    """Return a line ``(N, 2)`` from the left to the right at about a row: bent, tilted, rough."""
    columns = np.linspace(-20.0, 132.0, int(random.choice([5, 9, 17])))
    off = (columns - MIDDLE) / 56.0
    rows = height + random.normal(0, bend) * off**2 + random.normal(0, 4.0) * off
    rows += random.normal(0, roughness, len(columns))
    return np.stack([columns, rows], axis=1)


def turned(points: FloatArray, angle: float) -> FloatArray:
    """Return points ``(N, 2)`` turned around the origin, radians."""
    cosine, sine = math.cos(angle), math.sin(angle)
    return np.asarray(points @ np.array([[cosine, sine], [-sine, cosine]]), dtype=np.float64)


def paint(
    portrait: Portrait,
    picture: Picture,
    covered: Matrix,
    colours: npt.NDArray[np.floating],
    random: np.random.Generator,
) -> Picture:
    """Return the picture under ``colours`` where it is covered, its edge sharp or soft, shaded."""
    if random.random() < 0.5:
        covered = _blurred(covered, random.uniform(0.3, 2.0) * portrait.pixel)
    below = picture.astype(np.float32)
    if random.random() < 0.3:  # the shadow that it casts
        shift = random.normal(0, 2.5, 2) * portrait.pixel
        shadow = _blurred(_shifted(covered, shift), random.uniform(1, 4) * portrait.pixel)
        below *= 1 - random.uniform(0.2, 0.6) * shadow[..., None]
    if random.random() < 0.5:
        colours = colours * _shading(covered.shape, random)[..., None]
    share = covered[..., None]
    return as_picture(below * (1 - share) + np.clip(colours, 0, 255) * share)


def any_fill(picture: Picture, random: np.random.Generator) -> Matrix:
    """Return colours of a random kind: even, graded, patterned, cloth, or of another picture."""
    fills: tuple[Fill, ...] = (_even, _even, _graded, _striped, _dotted, _clothlike, _pictured)
    colours = fills[int(random.integers(len(fills)))](picture, random)
    if random.random() < 0.4:
        grain = random.normal(0, random.uniform(2, 14), colours.shape[:2])
        colours = colours + grain.astype(np.float32)[..., None]
    return colours


def colour(random: np.random.Generator) -> Matrix:
    """Return a random colour ``(3,)``: dark, light, grey or any."""
    kind = random.random()
    if kind < 0.25:
        return (random.uniform(0, 60) + random.normal(0, 6, 3)).astype(np.float32)
    if kind < 0.4:
        return (random.uniform(190, 255) + random.normal(0, 6, 3)).astype(np.float32)
    if kind < 0.5:
        return np.full(3, random.uniform(0, 255), np.float32)
    return random.uniform(0, 255, 3).astype(np.float32)


def smooth_field(shape: tuple[int, ...], cells: int, random: np.random.Generator) -> Matrix:
    """Return smooth standard normal numbers ``(H, W)`` that change over so many cells."""
    coarse = random.normal(0, 1, (cells, cells)).astype(np.float32)
    size = shape[1], shape[0]
    field = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)
    return np.asarray(field, dtype=np.float32)


def waves(shape: tuple[int, ...], period: float, random: np.random.Generator) -> Matrix:
    """Return plane waves ``(H, W)``, -1 to 1, of a period in pixels and any direction."""
    angle, phase = random.uniform(0, math.pi), random.uniform(0, 2 * math.pi)
    rows, columns = np.indices(shape[:2], dtype=np.float32)
    along = columns * math.cos(angle) + rows * math.sin(angle)
    return np.asarray(np.sin(2 * math.pi * along / period + phase), dtype=np.float32)


def _even(picture: Picture, random: np.random.Generator) -> Matrix:
    if random.random() < 0.2:  # of the picture's own colour: skin, hair
        row, column = (int(random.integers(side)) for side in picture.shape[:2])
        chosen = picture[row, column].astype(np.float32)
    else:
        chosen = colour(random)
    return np.broadcast_to(chosen, picture.shape).astype(np.float32)


def _graded(picture: Picture, random: np.random.Generator) -> Matrix:
    share = 0.5 + 0.5 * waves(picture.shape, random.uniform(1, 4) * picture.shape[0], random)
    return _mixed(share, random)


def _striped(picture: Picture, random: np.random.Generator) -> Matrix:
    period = random.uniform(0.03, 0.2) * picture.shape[0]
    pattern = waves(picture.shape, period, random)
    if random.random() < 0.4:
        pattern = pattern * waves(picture.shape, period, random)
    steep = random.choice([1.0, 8.0])
    return _mixed(np.clip(0.5 + steep * pattern / 2, 0, 1), random)


def _dotted(picture: Picture, random: np.random.Generator) -> Matrix:
    spots = smooth_field(picture.shape, int(random.integers(8, 30)), random)
    return _mixed(np.clip(0.5 + 4 * (spots - random.uniform(0, 1)), 0, 1), random)


def _clothlike(picture: Picture, random: np.random.Generator) -> Matrix:
    share = np.full(picture.shape[:2], 0.5, np.float32)
    for cells in (4, 12, 40):
        share += random.uniform(0.05, 0.25) * smooth_field(picture.shape, cells, random)
    return _mixed(np.clip(share, 0, 1), random)


def _pictured(picture: Picture, random: np.random.Generator) -> Matrix:
    """Return another part of the picture, turned, enlarged and in other colours."""
    height, width = picture.shape[:2]
    motion = cv2.getRotationMatrix2D(
        (random.uniform(0, width), random.uniform(0, height)),
        random.uniform(0, 360),
        random.uniform(0.8, 3.0),
    )
    moved = cv2.warpAffine(picture, motion, (width, height), borderMode=cv2.BORDER_REFLECT)
    mixing = np.eye(3) * random.uniform(0.3, 1.1) + random.normal(0, 0.25, (3, 3))
    mixed = moved.astype(np.float32) @ mixing.astype(np.float32) + random.uniform(-40, 60)
    return np.asarray(mixed, dtype=np.float32)


def _mixed(share: npt.NDArray[np.floating], random: np.random.Generator) -> Matrix:
    first, second = colour(random), colour(random)
    return np.asarray(first + (second - first) * share[..., None], dtype=np.float32)


def _shading(shape: tuple[int, ...], random: np.random.Generator) -> Matrix:
    field = smooth_field(shape, int(random.integers(3, 9)), random)
    shading = np.clip(1 + random.uniform(0.05, 0.25) * field, 0.3, 1.6)
    return np.asarray(shading, dtype=np.float32)


def _blurred(covered: Matrix, sigma: float) -> Matrix:
    return cv2.GaussianBlur(covered, (0, 0), sigma).astype(np.float32, copy=False)


def _shifted(covered: Matrix, by: FloatArray) -> Matrix:
    motion = np.array([[1, 0, by[0]], [0, 1, by[1]]], np.float64)
    return cv2.warpAffine(covered, motion, covered.shape[::-1]).astype(np.float32, copy=False)
