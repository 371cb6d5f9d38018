"""Renderings that change what the pixels say: tones, drawings, poor pictures, materials."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from app.domain.faces import Picture
from training.data.odd_pictures.portrait import Portrait, Rendering, as_picture
from training.foundation.arrays import FloatArray

_LUMA = np.array([0.299, 0.587, 0.114])


def negative(portrait: Portrait, _random: np.random.Generator) -> Picture:
    """Return the photographic negative."""
    return as_picture(255 - portrait.picture)


def two_grey_levels(portrait: Portrait, _random: np.random.Generator) -> Picture:
    """Return black and white, parted at the face's median, as a fax machine sends it."""
    luma = _luma(portrait.picture)
    return _grey(np.where(luma > np.median(_face_of(portrait, luma)), 255.0, 0.0))


def posterised(portrait: Portrait, _random: np.random.Generator) -> Picture:
    """Return four levels of each colour."""
    return as_picture(np.floor(portrait.picture / 64.0) * 85.0)


def darkened(portrait: Portrait, random: np.random.Generator) -> Picture:
    """Return a tenth to a fifth of the light, with the noise that a sensor adds to it."""
    share = random.uniform(0.1, 0.2)
    return as_picture(portrait.picture * share + random.normal(0, 3, portrait.picture.shape))


def overexposed(portrait: Portrait, random: np.random.Generator) -> Picture:
    """Return twice to three times the light, clipped at white."""
    return as_picture(portrait.picture * random.uniform(2.0, 3.0) + 40)


def false_colours(portrait: Portrait, _random: np.random.Generator) -> Picture:
    """Return brightness as the colours of the rainbow."""
    return _coloured(_luma(portrait.picture), cv2.COLORMAP_JET)


def thermal(portrait: Portrait, random: np.random.Generator) -> Picture:
    """Return what a heat camera shows: few pixels, warm skin, cool eyes and hair, no texture."""
    soft = cv2.GaussianBlur(_luma(portrait.picture), (0, 0), 2.5 * portrait.pixel)
    warm = 60 + 0.7 * soft + random.normal(0, 4, soft.shape)
    return _coloured(warm, cv2.COLORMAP_INFERNO)


def outlined(portrait: Portrait, _random: np.random.Generator) -> Picture:
    """Return dark outlines on white paper."""
    luma = as_picture(cv2.GaussianBlur(_luma(portrait.picture), (0, 0), 1.2 * portrait.pixel))
    edges = cv2.dilate(cv2.Canny(luma, 25, 70), np.ones((2, 2), np.uint8))
    return _grey(255.0 - edges)


def pencilled(portrait: Portrait, _random: np.random.Generator) -> Picture:
    """Return a pencil drawing: the picture divided by its own blurred self."""
    luma = _luma(portrait.picture)
    blurred = cv2.GaussianBlur(luma, (0, 0), 4 * portrait.pixel)
    shaded = 255.0 * np.minimum(1.0, (luma + 4) / (blurred + 4)) ** 2.5
    return _grey(shaded)


def cartoon(portrait: Portrait, _random: np.random.Generator) -> Picture:
    """Return flat colours inside dark lines."""
    flat = portrait.picture
    for _ in range(3):
        flat = as_picture(cv2.bilateralFilter(flat, 9, 45, 7))
    flat = as_picture(np.rint(flat / 32.0) * 32.0)
    luma = as_picture(cv2.medianBlur(as_picture(_luma(portrait.picture)), 5))
    lines = cv2.adaptiveThreshold(luma, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, 11, 4)
    return as_picture(np.where(lines[..., None] > 0, flat, 20))


def mosaic(pixels: int) -> Rendering:
    """Return a rendering in squares, so many across the aligned crop."""

    def render(portrait: Portrait, _random: np.random.Generator) -> Picture:
        height, width = portrait.picture.shape[:2]
        square = 112 * portrait.pixel / pixels
        few = (max(2, round(width / square)), max(2, round(height / square)))
        small = cv2.resize(portrait.picture, few, interpolation=cv2.INTER_AREA)
        return as_picture(cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST))

    return render


def blurred(sigma: float) -> Rendering:
    """Return a rendering out of focus, by a sigma in pixels of the aligned crop."""

    def render(portrait: Portrait, _random: np.random.Generator) -> Picture:
        return as_picture(cv2.GaussianBlur(portrait.picture, (0, 0), sigma * portrait.pixel))

    return render


def moved_while_exposed(portrait: Portrait, random: np.random.Generator) -> Picture:
    """Return motion blur over a sixth of the face, in any direction."""
    side = max(3, round(18 * portrait.pixel)) | 1
    line = np.zeros((side, side))
    line[side // 2] = 1
    turn = cv2.getRotationMatrix2D((side // 2, side // 2), random.uniform(0, 180), 1.0)
    kernel = np.asarray(cv2.warpAffine(line, turn, (side, side)), dtype=np.float64)
    return as_picture(cv2.filter2D(portrait.picture, -1, kernel / kernel.sum()))


def noisy(portrait: Portrait, random: np.random.Generator) -> Picture:
    """Return the picture under strong noise."""
    return as_picture(portrait.picture + random.normal(0, 70, portrait.picture.shape))


def pressed(quality: int) -> Rendering:
    """Return a rendering as JPEG of this quality gives it back."""

    def render(portrait: Portrait, _random: np.random.Generator) -> Picture:
        encoded = cv2.imencode(".jpg", portrait.picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        decoded = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
        return portrait.picture if decoded is None else as_picture(decoded)

    return render


def striped(portrait: Portrait, random: np.random.Generator) -> Picture:
    """Return the picture behind stripes that let more or less of it through, as of a blind."""
    waves = _waves(portrait, random.uniform(0, math.pi), random.uniform(4, 16))
    share = random.uniform(0.2, 0.5)
    return _overlaid(portrait, np.where(waves > 0, 235.0, 20.0)[..., None], share)


def chequered(portrait: Portrait, random: np.random.Generator) -> Picture:
    """Return the picture under a chessboard that lets more or less of it through."""
    angle, period = random.uniform(0, math.pi / 2), random.uniform(6, 24)
    waves = _waves(portrait, angle, period) * _waves(portrait, angle + math.pi / 2, period)
    share = random.uniform(0.2, 0.5)
    return _overlaid(portrait, np.where(waves > 0, 235.0, 20.0)[..., None], share)


def woven(portrait: Portrait, random: np.random.Generator) -> Picture:
    """Return the picture printed on coarse cloth: warp and weft with its own colours."""
    angle = random.uniform(0, math.pi / 2)
    warp, weft = _waves(portrait, angle, 6.0), _waves(portrait, angle + math.pi / 2, 6.0)
    thread = np.where(np.sign(warp * weft) > 0, np.abs(warp), np.abs(weft))
    cloth = random.uniform(60, 220, 3) * (0.3 + 0.7 * thread[..., None])
    return _overlaid(portrait, cloth, random.uniform(0.4, 0.65))


def halftone(portrait: Portrait, random: np.random.Generator) -> Picture:
    """Return a newspaper print: black dots whose size gives the grey."""
    angle = math.radians(45) + random.uniform(-0.2, 0.2)
    cell = random.uniform(2.2, 4.5)
    screen = _waves(portrait, angle, cell) + _waves(portrait, angle + math.pi / 2, cell)
    level = 127.5 + 60.0 * screen
    return _grey(np.where(_luma(portrait.picture) > level, 255.0, 0.0))


def moire(portrait: Portrait, random: np.random.Generator) -> Picture:
    """Return a photo of a screen: its pixels' stripes beat with those of the camera."""
    bands = [_waves(portrait, random.uniform(-0.15, 0.15), 13.0 + channel) for channel in range(3)]
    fine = _waves(portrait, math.pi / 2 + random.uniform(-0.1, 0.1), 2.6)
    light = 0.75 + 0.35 * np.stack(bands, axis=-1) + 0.25 * fine[..., None]
    return as_picture(portrait.picture * light * np.array([0.9, 1.0, 1.15]))


def statue(portrait: Portrait, random: np.random.Generator) -> Picture:
    """Return a marble head: no colour, smooth stone with veins, blank eyes."""
    luma = _luma(portrait.picture)
    smooth = cv2.bilateralFilter(luma.astype(np.float32), 9, 40, 5).astype(np.float64)
    stone = 95 + 0.55 * smooth
    height, width = luma.shape
    clouds = cv2.resize(random.normal(0, 1, (9, 9)), (width, height), interpolation=cv2.INTER_CUBIC)
    veins = np.exp(-((np.asarray(clouds, dtype=np.float64) / 0.12) ** 2))
    stone = stone - 28 * np.asarray(veins, dtype=np.float64)
    stone += random.normal(0, 5, luma.shape)
    blank = np.zeros(luma.shape, np.uint8)
    for x, y in portrait.landmarks[:2]:
        axes = (max(1, round(8 * portrait.pixel)), max(1, round(4.5 * portrait.pixel)))
        cv2.ellipse(blank, (round(x), round(y)), axes, 0, 0, 360, 255, -1)
    soft = np.asarray(cv2.GaussianBlur(blank, (0, 0), 0.8 * portrait.pixel), dtype=np.float64) / 255
    stone = stone * (1 - soft) + np.median(_face_of(portrait, stone)) * soft
    return as_picture(stone[..., None] * np.array([1.0, 0.985, 0.95]))


def _luma(picture: Picture) -> FloatArray:
    return np.asarray(picture @ _LUMA, dtype=np.float64)


def _grey(luma: npt.NDArray[np.floating]) -> Picture:
    return as_picture(np.repeat(luma[..., None], 3, axis=-1))


def _coloured(luma: npt.NDArray[np.floating], colours: int) -> Picture:
    return as_picture(cv2.cvtColor(cv2.applyColorMap(as_picture(luma), colours), cv2.COLOR_BGR2RGB))


def _face_of(portrait: Portrait, values: FloatArray) -> FloatArray:
    """Return the values of the square that the five landmarks span."""
    reach = 30 * portrait.pixel
    x, y = portrait.centre
    rows, columns = (slice(max(0, round(v - reach)), max(1, round(v + reach))) for v in (y, x))
    return values[rows, columns]


def _waves(portrait: Portrait, angle: float, period: float) -> FloatArray:
    """Return a sine ``(H, W)`` across ``angle``, its period in pixels of the aligned crop."""
    rows, columns = np.indices(portrait.picture.shape[:2], dtype=np.float64)
    along = columns * math.cos(angle) + rows * math.sin(angle)
    return np.asarray(np.sin(2 * math.pi * along / (period * portrait.pixel)), dtype=np.float64)


def _overlaid(portrait: Portrait, layer: npt.NDArray[np.floating], share: float) -> Picture:
    return as_picture(portrait.picture * (1 - share) + layer * share)
