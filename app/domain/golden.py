"""The golden input: a picture made by a formula, which every load of a model must answer alike."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def golden_input(size: int) -> npt.NDArray[np.uint8]:
    """Return a smooth coloured pattern, uint8 ``(1, 3, size, size)``; it shows nobody.

    Integer arithmetic only, so that it is the same to the bit on every machine.
    """
    row, column = np.meshgrid(np.arange(size), np.arange(size), indexing="ij")
    planes = [
        (row * 2 + column) % 256,
        (row + column * 2 + (row * column) // 16) % 256,
        255 - (row * 2 + column // 2) % 256,
    ]
    return np.stack(planes).astype(np.uint8)[None]
