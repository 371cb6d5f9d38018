"""Odd renderings of aligned crops: what a network was never trained to read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import cv2
import numpy as np

from training.foundation.arrays import ByteImage

#: A crop ``(S, S, 3)``, uint8 RGB, and random numbers in; another such crop out.
Rendering = Callable[[ByteImage, np.random.Generator], ByteImage]


def turned(quarters: int, crop: ByteImage, _random: np.random.Generator) -> ByteImage:
    """Return the crop turned counterclockwise."""
    return np.ascontiguousarray(np.rot90(crop, quarters))


def flipped(crop: ByteImage, _random: np.random.Generator) -> ByteImage:
    """Return the crop mirrored upside down."""
    return np.ascontiguousarray(crop[::-1])


def tilted(degrees: float, crop: ByteImage, random: np.random.Generator) -> ByteImage:
    """Return the crop tilted to either side."""
    return _moved(crop, degrees * random.choice([-1, 1]), 1.0, 0.0, 0.0)


def scaled(scale: float, crop: ByteImage, _random: np.random.Generator) -> ByteImage:
    """Return the face smaller or larger in its crop."""
    return _moved(crop, 0.0, scale, 0.0, 0.0)


def shifted(right: float, down: float, crop: ByteImage, random: np.random.Generator) -> ByteImage:
    """Return the face moved by shares of the side, ``right`` to either side."""
    side = crop.shape[0]
    return _moved(crop, 0.0, 1.0, right * side * random.choice([-1, 1]), down * side)


def negative(crop: ByteImage, _random: np.random.Generator) -> ByteImage:
    """Return the photographic negative."""
    return 255 - crop


def mosaic(blocks: int, crop: ByteImage, _random: np.random.Generator) -> ByteImage:
    """Return the crop in so many blocks to a side."""
    few = cv2.resize(crop, (blocks, blocks), interpolation=cv2.INTER_AREA)
    return _as_crop(cv2.resize(few, crop.shape[1::-1], interpolation=cv2.INTER_NEAREST))


def noisy(crop: ByteImage, random: np.random.Generator) -> ByteImage:
    """Return the crop under noise of a quarter of the range."""
    return _as_crop(crop + random.normal(0.0, 60.0, crop.shape))


def outlined(crop: ByteImage, _random: np.random.Generator) -> ByteImage:
    """Return dark edges on white."""
    edges = cv2.Canny(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), 60, 140)
    return _as_crop(np.repeat(255 - edges[:, :, None], 3, axis=2))


def two_levels(crop: ByteImage, _random: np.random.Generator) -> ByteImage:
    """Return black and white, parted at the mean."""
    luma = crop.mean(axis=2, keepdims=True)
    return _as_crop(np.repeat(np.where(luma > luma.mean(), 220, 30), 3, axis=2))


def blurred(sigma: float, crop: ByteImage, _random: np.random.Generator) -> ByteImage:
    """Return the crop under a Gaussian blur of ``sigma`` pixels."""
    return _as_crop(cv2.GaussianBlur(crop, (0, 0), sigma))


def smeared(crop: ByteImage, _random: np.random.Generator) -> ByteImage:
    """Return the crop as if the camera had moved across a sixth of it."""
    return _as_crop(cv2.blur(crop, (crop.shape[0] // 6, 1)))


def smeared_down(crop: ByteImage, _random: np.random.Generator) -> ByteImage:
    """Return the crop as if the camera had moved down a sixth of it."""
    return _as_crop(cv2.blur(crop, (1, crop.shape[0] // 6)))


def textured(crop: ByteImage, random: np.random.Generator) -> ByteImage:
    """Return coloured cloth in which a tenth of the face shines through."""
    side = crop.shape[0]
    cloth = random.integers(0, 255, (side // 4, side // 4, 3)).astype(np.uint8)
    large = cv2.resize(cloth, (side, side), interpolation=cv2.INTER_CUBIC)
    return _as_crop(cv2.addWeighted(_as_crop(large), 0.9, crop, 0.1, 0))


def overexposed(crop: ByteImage, _random: np.random.Generator) -> ByteImage:
    """Return the crop with most of its light clipped."""
    return _as_crop(crop * 2.2 + 40.0)


#: The centres are fitted on these.
FITTED: Mapping[str, Rendering] = {
    **{f"turned {90 * quarters}": partial(turned, quarters) for quarters in (1, 2, 3)},
    "flipped": flipped,
    **{f"tilted {degrees}": partial(tilted, degrees) for degrees in (45, 60, 75)},
    "half the size": partial(scaled, 0.5),
    "twice the size": partial(scaled, 2.0),
    "moved down": partial(shifted, 0.0, 0.2),
    "moved up": partial(shifted, 0.0, -0.2),
    "negative": negative,
    **{f"mosaic of {blocks}": partial(mosaic, blocks) for blocks in (8, 13, 21)},
    "noise": noisy,
    "outlines": outlined,
    "two grey levels": two_levels,
    "blurred 5": partial(blurred, 5.0),
    "cloth": textured,
    "smeared": smeared,
    "moved aside": partial(shifted, 0.2, 0.0),
}
#: How many centres there are is chosen on these, of other people.
HELD_OUT: Mapping[str, Rendering] = {
    "tilted 30": partial(tilted, 30),
    "moved up and aside": partial(shifted, 0.15, -0.15),
    "blurred 3": partial(blurred, 3.0),
    "smeared down": smeared_down,
    "overexposed": overexposed,
    "mosaic of 10": partial(mosaic, 10),
    "three times the size": partial(scaled, 3.0),
}


def _moved(crop: ByteImage, degrees: float, scale: float, right: float, down: float) -> ByteImage:
    height, width = crop.shape[:2]
    centre = (width - 1) / 2, (height - 1) / 2
    matrix = cv2.getRotationMatrix2D(centre, degrees, scale)
    matrix = matrix + np.array([[0.0, 0.0, right], [0.0, 0.0, down]])
    return _as_crop(cv2.warpAffine(crop, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE))


def _as_crop(values: np.typing.NDArray[np.generic]) -> ByteImage:
    return np.ascontiguousarray(np.clip(values.astype(np.float64).round(), 0, 255).astype(np.uint8))
