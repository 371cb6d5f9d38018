"""Reads scikit-learn's bundled digits: 1,797 drawings of 8 x 8 pixels that are always there."""

from __future__ import annotations

from functools import partial

import numpy as np
from sklearn.datasets import load_digits

from training.data.decoding import as_rgb
from training.data.images import ImageItem, ImageSet

_FULL_INK = 16  # the digits' greys go from 0 to 16
_TRAIN_QUARTERS = 3


def read_digits(*, name: str | None = None) -> ImageSet:
    """Return the digits (Alpaydin and Kaynak 1998, UCI), labelled "0" to "9".

    Of every class the first three quarters, in the order of the data, are "train" and the rest
    "test". The data come writer by writer, so that mostly other hands are tested than learned.
    """
    bunch = load_digits()
    greys = np.round(np.asarray(bunch.images) * (255 / _FULL_INK)).astype(np.uint8)
    classes = np.asarray(bunch.target, np.int64)
    seen = np.zeros(10, np.int64)
    enough = np.bincount(classes, minlength=10) * _TRAIN_QUARTERS // 4
    items = []
    for row, digit in enumerate(classes):
        split = "train" if seen[digit] < enough[digit] else "test"
        seen[digit] += 1
        items.append(
            ImageItem(f"{split}/{row:04d}", str(int(digit)), partial(as_rgb, greys[row]), split)
        )
    return ImageSet(name or "digits", tuple(items))
