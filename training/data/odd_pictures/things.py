"""Pictures with no person in them, drawn anew for each seed: drawings, dolls, cloth, walls."""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np

from app.domain.faces import Picture
from training.data.odd_pictures.portrait import as_picture
from training.foundation.arrays import FloatArray

SIDE = 256
_PAPER = 240

#: Draws one thing; the same generator state draws the same.
Thing = Callable[[np.random.Generator], Picture]


def drawn_face(random: np.random.Generator) -> Picture:
    """Return a coloured drawing of somebody: head, hair, eyes with brows, nose, mouth."""
    picture = _paper(random)
    skin = random.uniform((150, 90, 60), (250, 200, 180))
    hair, iris = random.uniform(0, 160, (2, 3))
    middle, reach = 128 + random.normal(0, 4, 2), random.uniform((56, 72), (72, 92))
    _oval(picture, middle - _at(0, 22), reach * 1.12, hair)
    _oval(picture, middle, reach, skin)
    apart, height = random.uniform(0.36, 0.48), random.uniform(-0.2, 0.0)
    for side in (-1, 1):
        eye = middle + reach * (side * apart, height)
        _oval(picture, eye, reach * (0.24, random.uniform(0.09, 0.14)), np.full(3, 250.0))
        _oval(picture, eye, reach * (0.1, 0.1), iris)
        brow = eye - _at(0, 0.2 * reach[1])
        end = _at(0.2 * reach[0], side * 1.5)
        _stroke(picture, brow - end, brow + end, hair, 5)
    _stroke(picture, middle, middle + reach * (random.uniform(-0.12, 0.12), 0.25), skin * 0.7, 4)
    for side in (-1, 1):
        _oval(picture, middle + reach * (side * 0.08, 0.27), _at(3.0, 2.5), skin * 0.4)
    lips = random.uniform((150, 30, 30), (220, 110, 110))
    mouth = reach * random.uniform((0.25, 0.05), (0.42, 0.12))
    _oval(picture, middle + _at(0, 0.55 * reach[1]), mouth, lips)
    return as_picture(cv2.GaussianBlur(picture, (0, 0), random.uniform(0.5, 1.5)))


def smiley(random: np.random.Generator) -> Picture:
    """Return a yellow disc with two dots and an arc."""
    picture = _paper(random)
    middle, reach = 128 + random.normal(0, 5, 2), random.uniform(70, 100)
    _oval(picture, middle, np.full(2, reach), random.uniform((220, 170, 0), (255, 230, 80)))
    for side in (-1, 1):
        eye = middle + reach * np.array([side * random.uniform(0.3, 0.42), -0.25])
        _oval(picture, eye, reach * random.uniform((0.08, 0.1), (0.14, 0.2)), np.full(3, 20.0))
    arc = (round(reach * 0.55), round(reach * random.uniform(0.3, 0.5)))
    centre = (round(middle[0]), round(middle[1] + 0.15 * reach))
    cv2.ellipse(picture, centre, arc, 0, 15, 165, (30, 20, 20), 6, cv2.LINE_AA)
    return picture


def doll(random: np.random.Generator) -> Picture:
    """Return a shaded head of plaster or plastic: round, bald, with sockets, nose and lips."""
    head = _Head(random, random.uniform((62, 82), (76, 100)))
    depth = head.depth + 0.3 * head.bump(0, 0.14, 0.09 * head.wide, 0.2)
    depth += 0.1 * head.bump(0, 0.27, 0.13, 0.07)
    depth += 0.12 * head.bump(0, 0.5, 0.22, 0.05) + 0.1 * head.bump(0, 0.6, 0.18, 0.05)
    depth -= 0.12 * head.bump(0, 0.55, 0.25, 0.015)
    return head.lit(random, depth, random.uniform(110, 210, 3) + np.zeros((SIDE, SIDE, 3)))


def ape(random: np.random.Generator) -> Picture:
    """Return a shaded animal's head: ridge of brows, flat nose, wide muzzle, fur around."""
    head = _Head(random, random.uniform((70, 76), (86, 92)))
    depth = head.depth + 0.12 * head.bump(0, -0.3, 0.5, 0.06) + 0.1 * head.bump(0, 0.2, 0.16, 0.07)
    depth += 0.35 * head.bump(0, 0.48, 0.42, 0.26) - 0.12 * head.bump(0, 0.56, 0.3, 0.02)
    depth -= sum(0.1 * head.bump(side * 0.07, 0.22, 0.04, 0.03) for side in (-1, 1))
    fur, skin = random.uniform((20, 10, 5), (150, 90, 50)), random.uniform(50, 150, 3)
    bare = head.bump(0, 0.15, 0.6, 0.62)[..., None] ** 2
    hair = cv2.GaussianBlur(random.normal(0, 1, (SIDE, SIDE, 1)), (0, 0), sigmaX=0.7, sigmaY=3.0)
    grain = np.asarray(hair, dtype=np.float64).reshape(SIDE, SIDE, 1)
    coat = fur * (1 + 1.2 * grain)
    return head.lit(random, depth, np.asarray(coat * (1 - bare) + skin * bare, dtype=np.float64))


def cat(random: np.random.Generator) -> Picture:
    """Return the drawing of an animal's head: ears, slit eyes, nose, whiskers, striped fur."""
    picture = _paper(random)
    fur = random.uniform((60, 50, 40), (230, 190, 150))
    middle, reach = 128 + random.normal(0, 4, 2), random.uniform((70, 60), (88, 76))
    for side in (-1, 1):
        tips = [[side * 0.9, -0.4], [side * 0.85, -1.45], [side * 0.2, -0.9]]
        ear = middle + reach * np.array(tips)
        cv2.fillPoly(picture, [ear.round().astype(np.int32)], _rgb(fur * 0.85), cv2.LINE_AA)
    _oval(picture, middle, reach, fur)
    for stripe in (-0.3, 0.0, 0.3):
        top = middle + reach * (stripe, -0.9)
        _stroke(picture, top, top + reach * (0.0, 0.35), fur * 0.5, 6)
    eyes = random.uniform((120, 140, 20), (230, 220, 120))
    for side in (-1, 1):
        eye = middle + reach * (side * random.uniform(0.38, 0.48), -0.12)
        _oval(picture, eye, _at(15.0, 12.0), eyes)
        _oval(picture, eye, np.array([random.uniform(2, 7), 11.0]), np.full(3, 10.0))
        for whisker in (-8, 0, 8):
            start = middle + reach * (side * 0.25, 0.42)
            _stroke(picture, start, start + _at(side * 70, whisker * 2), np.full(3, 245.0), 1)
    _oval(picture, middle + _at(0, 0.32 * reach[1]), _at(9, 6), np.array([200.0, 120, 130]))
    for side in (-1, 1):
        _oval(picture, middle + reach * (side * 0.14, 0.56), reach * (0.17, 0.16), fur * 1.1)
    grain = cv2.GaussianBlur(random.normal(0, 40, picture.shape), (0, 0), 1.5)
    return as_picture(picture + grain)


def car(random: np.random.Generator) -> Picture:
    """Return a car from the front: two lamps, a windscreen, a grille."""
    picture = _paper(random)
    paint = random.uniform(20, 220, 3)
    low, lamps = random.uniform(150, 170), random.uniform(48, 62)
    outline = np.array([[40, 220], [36, 120], [70, 50], [186, 50], [220, 120], [216, 220]])
    cv2.fillPoly(picture, [outline.astype(np.int32)], _rgb(paint), cv2.LINE_AA)
    glass = np.array([[66, 112], [82, 62], [174, 62], [190, 112]])
    cv2.fillPoly(picture, [glass.astype(np.int32)], _rgb(random.uniform(20, 90, 3)), cv2.LINE_AA)
    for side in (-1, 1):
        lamp = np.array([128 + side * lamps, low])
        _oval(picture, lamp, random.uniform((16, 12), (24, 18)), np.full(3, 245.0))
        _oval(picture, lamp, _at(6.0, 6.0), np.full(3, 120.0))
    for row in range(0, 24, 6):
        left, right = _at(96.0, low + 20 + row), np.array([160.0, low + 20 + row])
        _stroke(picture, left, right, np.full(3, 20.0), 3)
    return as_picture(cv2.GaussianBlur(picture, (0, 0), 1.0))


def sockets(random: np.random.Generator) -> Picture:
    """Return a plate with two holes and a slot, which people see faces in."""
    picture = as_picture(random.uniform(130, 220, 3) + np.zeros((SIDE, SIDE, 3)))
    plate = random.uniform(200, 250, 3)
    _oval(picture, np.full(2, 128.0), np.full(2, random.uniform(80, 105)), plate)
    apart, size = random.uniform(26, 40), random.uniform(8, 14)
    for side in (-1, 1):
        _oval(picture, _at(128 + side * apart, 108.0), np.full(2, size), plate * 0.2)
    _oval(picture, _at(128.0, 132.0), _at(5.0, 8.0), plate * 0.6)
    slot = np.array([random.uniform(18, 34), random.uniform(4, 9)])
    _oval(picture, _at(128.0, 166.0), slot, plate * 0.25)
    return as_picture(cv2.GaussianBlur(picture, (0, 0), 1.5) + random.normal(0, 4, picture.shape))


def printed_cloth(random: np.random.Generator) -> Picture:
    """Return cloth with a repeated pattern of ovals, some placed as eyes and mouth are."""
    ground, oval, first, second = random.uniform(0, 255, (4, 3))
    picture = as_picture(ground + np.zeros((SIDE, SIDE, 3)))
    step = round(random.uniform(70, 130))
    for row in range(-step, SIDE + step, step):
        for column in range(-step, SIDE + step, step):
            at = _at(column + (row // step % 2) * step / 2, row)
            _oval(picture, at, _at(0.36, 0.44) * step, oval)
            for side in (-1, 1):
                _oval(picture, at + _at(side * 0.15, -0.08) * step, _at(0.07, 0.05) * step, first)
            _oval(picture, at + _at(0, 0.08) * step, _at(0.03, 0.06) * step, oval * 0.7)
            _oval(picture, at + _at(0, 0.24) * step, _at(0.13, 0.04) * step, second)
    thread = np.indices((SIDE, SIDE)).sum(axis=0)[..., None] % 4 * 6.0
    return as_picture(picture + thread - 9)


def clouds(random: np.random.Generator) -> Picture:
    """Return smooth noise of every size, as of clouds, stone or stained walls."""
    total: FloatArray = np.zeros((SIDE, SIDE, 3))
    mixed = np.eye(3) * 0.3 + 0.7 / 3
    for cells in (3, 6, 12, 24, 48, 96):
        noise = random.normal(0, 1, (cells, cells, 3)) @ mixed
        layer = cv2.resize(noise, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
        total += np.asarray(layer, dtype=np.float64) / cells**0.6
    return as_picture(128 + 70 * total / total.std())


def bricks(random: np.random.Generator) -> Picture:
    """Return a wall of bricks in the light from one side."""
    picture = as_picture(random.uniform(120, 200) + np.zeros((SIDE, SIDE, 3)))
    height, width = round(random.uniform(18, 34)), round(random.uniform(44, 80))
    for number, row in enumerate(range(0, SIDE, height)):
        for column in range(-width // 2 * (number % 2), SIDE, width):
            tone = random.uniform((120, 50, 40), (190, 100, 80))
            corner = (column + width - 4, row + height - 4)
            cv2.rectangle(picture, (column, row), corner, _rgb(tone), -1)
    slope = np.linspace(0.6, 1.2, SIDE)[None, :, None]
    return as_picture(picture * slope + random.normal(0, 10, picture.shape))


THINGS: dict[str, Thing] = {
    "drawn faces": drawn_face,
    "smileys": smiley,
    "plaster heads": doll,
    "drawn animals": cat,
    "modelled animals": ape,
    "cars": car,
    "sockets": sockets,
    "printed cloth": printed_cloth,
    "clouds and stone": clouds,
    "brick walls": bricks,
}


def _paper(random: np.random.Generator) -> Picture:
    tint = random.uniform(-60, 15, 3)
    return as_picture(_PAPER + tint + np.zeros((SIDE, SIDE, 3)))


class _Head:
    """The depth of a round head with eyes in their sockets, and how light falls on it."""

    def __init__(self, random: np.random.Generator, reach: FloatArray) -> None:
        places = np.indices((SIDE, SIDE)).astype(np.float64)
        middle = 128 + random.normal(0, 4, 2)
        self._x, self._y = (places[1] - middle[0]) / reach[0], (places[0] - middle[1]) / reach[1]
        self._inside = 1 - self._x**2 - self._y**2
        self.depth: FloatArray = np.sqrt(np.clip(self._inside, 0, 1))
        self.wide = random.uniform(0.85, 1.2)
        apart = random.uniform(0.34, 0.44)
        for side in (-1, 1):
            self.depth = self.depth - 0.22 * self.bump(side * apart, -0.12, 0.16 * self.wide, 0.09)
            self.depth = self.depth + 0.14 * self.bump(side * apart, -0.12, 0.1, 0.06)
            self.depth = self.depth + 0.1 * self.bump(side * apart, -0.32, 0.2, 0.05)

    def bump(self, x: float, y: float, wide: float, high: float) -> FloatArray:
        """Return a hill ``(SIDE, SIDE)`` at a place, in halves of the head's width and height."""
        hill = np.exp(-(((self._x - x) / wide) ** 2) - ((self._y - y) / high) ** 2)
        return np.asarray(hill, dtype=np.float64)

    def lit(self, random: np.random.Generator, depth: FloatArray, surface: FloatArray) -> Picture:
        """Return the head in light from above or the side, before a plain wall."""
        down, across = np.gradient(depth * 80)
        light = random.normal(0, 0.4, 2) + _at(0.0, -0.6)
        shade = (1 - light[0] * across - light[1] * down) / np.sqrt(1 + across**2 + down**2)
        head = np.clip(0.25 + 0.6 * shade, 0, 1.3)[..., None] * surface
        behind = random.uniform(20, 230) + np.zeros((SIDE, SIDE, 3))
        soft = np.clip(self._inside * 12, 0, 1)[..., None]
        return as_picture(head * soft + behind * (1 - soft) + random.normal(0, 3, behind.shape))


def _at(x: float, y: float) -> FloatArray:
    return np.array([x, y], dtype=np.float64)


def _rgb(colour: FloatArray) -> tuple[float, float, float]:
    red, green, blue = np.clip(colour, 0, 255).tolist()
    return (red, green, blue)


def _oval(picture: Picture, centre: FloatArray, axes: FloatArray, colour: FloatArray) -> None:
    """Fill an ellipse in place."""
    around = np.linspace(0, 2 * math.pi, 64, endpoint=False)
    points = np.stack([np.cos(around), np.sin(around)], axis=1) * axes + centre
    cv2.fillPoly(picture, [points.round().astype(np.int32)], _rgb(colour), cv2.LINE_AA)


def _stroke(
    picture: Picture, start: FloatArray, end: FloatArray, colour: FloatArray, thickness: int
) -> None:
    """Draw a line in place."""
    (x0, y0), (x1, y1) = (point.round().astype(int).tolist() for point in (start, end))
    cv2.line(picture, (x0, y0), (x1, y1), _rgb(colour), thickness, cv2.LINE_AA)
