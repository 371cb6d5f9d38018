"""Random renderings in which something lies over a face: what it is, where and how differ."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from app.domain.faces import Picture
from training.calibration.plainness.shapes import (
    EYE_COLUMNS,
    EYES,
    MIDDLE,
    MOUTH,
    any_fill,
    blob,
    colour,
    curve,
    paint,
    polygon,
    smooth_field,
    strokes,
    turned,
)
from training.data.odd_pictures.portrait import Portrait, Rendering, as_picture
from training.foundation.arrays import Matrix

_FAR = 160.0  # beyond every border of the crop


def over_the_lower_face(portrait: Portrait, random: np.random.Generator) -> Picture:
    """Return a face covered from about the nose to the chin or below: cloth, paper, a shield."""
    top = curve(random, random.uniform(58, 82), 7.0, random.choice([0.0, 1.5]))
    bottom = curve(random, random.uniform(104, 140), 8.0, 0.0)[::-1]
    half = random.uniform(30, 75)
    outline = np.concatenate([top, bottom])
    outline[:, 0] = np.clip(outline[:, 0], MIDDLE - half, MIDDLE + half)
    picture = _covered(portrait, portrait.picture, polygon(portrait, outline), random)
    tone = colour(random)
    folds = [curve(random, random.uniform(72, 108), 6.0, 0.5) for _ in range(random.integers(0, 5))]
    for fold in folds:
        fold[:, 0] = np.clip(fold[:, 0], MIDDLE - half, MIDDLE + half)
    if folds:
        picture = _inked(picture, strokes(portrait, folds, random.uniform(0.7, 2)), tone)
    if random.random() < 0.5:
        rows = random.uniform(48, 75, 2)
        bands = [
            [(MIDDLE + side * half, rows[0]), (MIDDLE + side * 80, rows[1])] for side in (-1, 1)
        ]
        picture = _inked(picture, strokes(portrait, bands, random.uniform(1, 4)), tone)
    return picture


def over_the_upper_face(portrait: Portrait, random: np.random.Generator) -> Picture:
    """Return a face covered from above to the brows or the eyes, perhaps with a brim and shade."""
    edge = random.uniform(30, 58)
    bottom = curve(random, edge, 8.0, random.choice([0.0, 2.0]))
    above = np.array([[_FAR, -_FAR], [-_FAR, -_FAR]])
    cover = polygon(portrait, np.concatenate([bottom, above]))
    picture = portrait.picture
    if edge < 46 or random.random() < 0.4:  # the shade below it
        depth = curve(random, edge + random.uniform(8, 34), 6.0, 0.0)
        shade = polygon(portrait, np.concatenate([depth, above]))
        picture = as_picture(picture * (1 - random.uniform(0.25, 0.7) * shade[..., None]))
    picture = _covered(portrait, picture, cover, random)
    if random.random() < 0.5:
        brim = strokes(portrait, [bottom], random.uniform(3, 16))
        picture = _covered(portrait, picture, brim, random)
    return picture


def around_the_face(portrait: Portrait, random: np.random.Generator) -> Picture:
    """Return a face that looks out of a hole in something: a hood, a veil, a slit for the eyes."""
    if random.random() < 0.6:
        centre = MIDDLE + random.normal(0, 3), EYES + random.normal(0, 3)
        hole = blob(random, centre, (random.uniform(28, 44), random.uniform(8, 15)))
    else:
        centre = MIDDLE + random.normal(0, 3), random.uniform(62, 74)
        hole = blob(random, centre, (random.uniform(20, 29), random.uniform(22, 34)))
    covered = 1 - polygon(portrait, hole)
    if random.random() < 0.4:
        second = blob(random, (MIDDLE, MOUTH), (random.uniform(8, 18), random.uniform(4, 10)))
        covered = covered * (1 - polygon(portrait, second))
    return _covered(portrait, portrait.picture, covered, random)


def before_the_eyes(portrait: Portrait, random: np.random.Generator) -> Picture:
    """Return a face with something before both eyes: lenses of any shape, a visor, a band."""
    picture = portrait.picture
    if random.random() < 0.65:
        width, height = random.uniform(11, 20), random.uniform(8, 17)
        shape = blob(random, (0.0, 0.0), (width, height))
        row = EYES + random.normal(1.5, 2)
        apart = random.uniform(-1, 3)
        lenses = np.zeros(picture.shape[:2], np.float32)
        for side, column in zip((-1, 1), EYE_COLUMNS, strict=True):
            outline = shape * (side, 1.0) + (column + side * apart, row)
            lenses = np.maximum(lenses, polygon(portrait, outline))
        picture = _covered(portrait, picture, lenses, random, min_opacity=0.72)
        reach = EYE_COLUMNS[0] - width, EYE_COLUMNS[1] + width
        bands = [
            [(reach[0] + width, row - random.uniform(-2, 6)), (reach[1] - width, row - 3)],
            [(reach[0], row - 3), (reach[0] - 24, row + random.normal(-3, 3))],
            [(reach[1], row - 3), (reach[1] + 24, row + random.normal(-3, 3))],
        ]
        frame = strokes(portrait, bands, random.uniform(1, 5))
        return _inked(picture, frame, colour(random))
    centre = MIDDLE + random.normal(0, 2), EYES + random.normal(0, 2)
    size = random.uniform(30, 70), random.uniform(7, 17)
    if random.random() < 0.6:
        corners = np.array([[-1.0, -1], [1, -1], [1, 1], [-1, 1]]) * size
        outline = turned(corners, random.normal(0, 0.08)) + centre
    else:
        outline = blob(random, centre, size)
    return _covered(portrait, picture, polygon(portrait, outline), random, min_opacity=0.72)


def before_one_side(portrait: Portrait, random: np.random.Generator) -> Picture:
    """Return a face of which the left, the right or a slanted half is covered."""
    side = random.choice([-1.0, 1.0])
    edge = MIDDLE + side * random.uniform(-6, 15)
    slant = random.normal(0, 12)
    rows = np.linspace(-20, 132, 9)
    columns = edge + slant * (rows - 60) / 56 + random.normal(0, random.choice([0.0, 2.0]), 9)
    line = np.stack([columns, rows], axis=1)
    beyond = np.array([[side * _FAR + MIDDLE, 140], [side * _FAR + MIDDLE, -40]])
    return _covered(
        portrait, portrait.picture, polygon(portrait, np.concatenate([line, beyond])), random
    )


def by_patches(portrait: Portrait, random: np.random.Generator) -> Picture:
    """Return a face with one to four patches on it: plasters, stickers, paper, leaves, hands."""
    covered = np.zeros(portrait.picture.shape[:2], np.float32)
    count = int(random.integers(1, 5))
    size = random.uniform(15, 30) / np.sqrt(count)
    for _ in range(count):
        centre = random.uniform(30, 82), random.uniform(34, 104)
        outline = blob(random, centre, (size * random.uniform(0.7, 1.5), size))
        covered = np.maximum(covered, polygon(portrait, outline))
    return _covered(portrait, portrait.picture, covered, random)


def by_bars(portrait: Portrait, random: np.random.Generator) -> Picture:
    """Return a face behind fingers, branches, bars or strands: long things that cross it."""
    width = random.uniform(2.5, 14)
    count = int(np.clip(round(random.uniform(25, 55) / width), 1, 12))
    angle = random.uniform(0, np.pi)
    lines = []
    for _ in range(count):
        middle = np.array([random.uniform(24, 88), random.uniform(34, 106)])
        along = np.linspace(-90, random.choice([0.0, 90.0]), 7)
        bent = random.normal(0, 4) * (along / 60) ** 2
        lines.append(turned(np.stack([along, bent], 1), angle + random.normal(0, 0.15)) + middle)
    covered = strokes(portrait, lines, width)
    return _covered(portrait, portrait.picture, covered, random)


def by_many_specks(portrait: Portrait, random: np.random.Generator) -> Picture:
    """Return a face under drops, lace, leaves, confetti or dirt that leave it free in places."""
    cells = int(random.integers(9, 34))
    field = smooth_field(portrait.picture.shape, cells, random)
    share = random.uniform(0.2, 0.55)
    covered = (field > np.quantile(field, 1 - share)).astype(np.float32)
    return _covered(portrait, portrait.picture, covered, random)


def by_light(portrait: Portrait, random: np.random.Generator) -> Picture:
    """Return a face in hard shade or glare with an edge across it: foil, a lamp, a reflection."""
    centre = random.uniform(25, 87), random.uniform(30, 100)
    outline = blob(random, centre, (random.uniform(25, 50), random.uniform(18, 40)))
    share = polygon(portrait, outline)[..., None]
    if random.random() < 0.5:
        return as_picture(portrait.picture * (1 - random.uniform(0.75, 0.97) * share))
    glare = random.uniform(0.75, 1.0) * share
    return as_picture(portrait.picture * (1 - glare) + colour(random) * 0.2 * glare + 215 * glare)


#: Everything that covers, by the part of the face that it hides.
COVERS: Mapping[str, Mapping[str, Rendering]] = {
    "lower face covered": {"lower": over_the_lower_face},
    "upper face covered": {"upper": over_the_upper_face},
    "face in a hole": {"hole": around_the_face},
    "eyes covered": {"eyes": before_the_eyes},
    "patches and bars": {
        "side": before_one_side,
        "patches": by_patches,
        "bars": by_bars,
        "specks": by_many_specks,
        "light": by_light,
    },
}


def _covered(
    portrait: Portrait,
    picture: Picture,
    covered: Matrix,
    random: np.random.Generator,
    min_opacity: float = 0.8,
) -> Picture:
    """Return the picture under a random fill, which may let a little of it through."""
    opacity = 1.0 if random.random() < 0.7 else random.uniform(min_opacity, 1.0)
    return paint(
        portrait, picture, covered * np.float32(opacity), any_fill(picture, random), random
    )


def _inked(picture: Picture, covered: Matrix, tone: npt.NDArray[np.floating]) -> Picture:
    share = covered[..., None]
    return as_picture(picture * (1 - share) + np.clip(tone, 0, 255) * share)
