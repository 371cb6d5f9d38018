"""From what a decoder gives to RGB in eight bits: deep samples stretched, alpha laid over white."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]

#: Share of the samples that says how bright a deep picture gets; a hot pixel of a sensor does not.
_BRIGHTEST = 0.999
_SAMPLES_LOOKED_AT = 500_000
_ROWS_AT_ONCE = 256  # so that a large picture needs no second copy of itself


def as_rgb(pixels: Pixels, max_side: int) -> npt.NDArray[np.uint8]:
    """Return ``pixels``, grey ``(H, W)``, RGB or RGBA, as RGB ``(H, W, 3)`` in eight bits.

    The longest side is at most ``max_side``. Alpha that is zero everywhere means nothing: capture
    libraries leave it empty. Any other is laid over white. Samples of 16 bits are stretched to the
    number of bits that they use, for cameras put 10 or 12 into them.
    """
    shallow = _shallow(pixels)
    if shallow.ndim == 3 and shallow.shape[2] == 4:
        shallow = _over_white(shallow)
    height, width = shallow.shape[:2]
    scale = min(1.0, max_side / max(width, height))
    if scale < 1.0:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        shallow = cv2.resize(shallow, size, interpolation=cv2.INTER_AREA).astype(
            np.uint8, copy=False
        )
    if shallow.ndim == 2:
        shallow = cv2.cvtColor(shallow, cv2.COLOR_GRAY2RGB).astype(np.uint8, copy=False)
    return np.ascontiguousarray(shallow)


def _shallow(deep: Pixels) -> npt.NDArray[np.uint8]:
    """Return 16 bits as 8: the bits in use, counted in the samples but for the brightest few."""
    if deep.dtype != np.uint16:
        return deep.astype(np.uint8, copy=False)
    has_alpha = deep.ndim == 3 and deep.shape[2] == 4
    light = (deep[..., :3] if has_alpha else deep).reshape(-1)
    some = light[:: max(1, light.size // _SAMPLES_LOOKED_AT)]
    enough = int(np.quantile(some, _BRIGHTEST, method="higher"))
    bits = max(8, enough.bit_length())
    shallow = cv2.convertScaleAbs(deep, alpha=255 / ((1 << bits) - 1))
    if has_alpha:  # a share of 65,535, whatever the samples hold
        shallow[..., 3] = deep[..., 3] >> 8
    return shallow.astype(np.uint8, copy=False)


def _over_white(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    alpha = pixels[..., 3]
    if not alpha.any() or alpha.min() == 255:
        return cv2.cvtColor(pixels, cv2.COLOR_RGBA2RGB).astype(np.uint8, copy=False)
    laid = np.empty((*pixels.shape[:2], 3), np.uint8)
    for start in range(0, len(pixels), _ROWS_AT_ONCE):
        rows = pixels[start : start + _ROWS_AT_ONCE]
        share = cv2.cvtColor(np.ascontiguousarray(rows[..., 3]), cv2.COLOR_GRAY2RGB)
        ink = cv2.bitwise_not(cv2.cvtColor(rows, cv2.COLOR_RGBA2RGB))
        cv2.bitwise_not(
            cv2.multiply(ink, share, scale=1 / 255), dst=laid[start : start + _ROWS_AT_ONCE]
        )
    return laid
