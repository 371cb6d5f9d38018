"""Tells whether two images are the same or nearly: digest, perceptual hash, miniature."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from training.data.images import IntArray, Picture

Hashes = npt.NDArray[np.uint64]
Miniatures = npt.NDArray[np.uint8]

MINIATURE_SIDE = 16
_HASH_SIDE = 8
_BLOCK_ENTRIES = 4_000_000
_COMPARED_AT_ONCE = 50_000


@dataclass(frozen=True)
class Fingerprint:
    """``digest``: SHA-256 of the decoded pixels and their shape, in hexadecimal digits.

    ``gradients``: 64-bit dHash. ``miniature``: grey uint8 ``(16, 16)``.
    """

    digest: str
    gradients: int
    miniature: Miniatures


@dataclass(frozen=True)
class NearPairs:
    """Rows of pairs ``(K, 2)``, bits by which their hashes differ ``(K,)``, and grey levels."""

    rows: IntArray
    bits: IntArray
    levels: npt.NDArray[np.float64]


def fingerprint(picture: Picture) -> Fingerprint:
    """Return the fingerprint of a uint8 RGB picture.

    The digest is of pixels, not of the file, so a copy saved anew without loss is found too.
    """
    shape = np.array(picture.shape, "<i8").tobytes()
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return Fingerprint(
        digest=hashlib.sha256(shape + np.ascontiguousarray(picture).tobytes()).hexdigest(),
        gradients=difference_hash(picture),
        miniature=_shrunk(grey, MINIATURE_SIDE, MINIATURE_SIDE),
    )


def difference_hash(picture: Picture) -> int:
    """Return the 64-bit dHash (Krawetz 2013): whether each cell is brighter than its right one.

    Cells are those of a 9 x 8 miniature, read row by row from the highest bit.
    """
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    small = _shrunk(grey, _HASH_SIDE + 1, _HASH_SIDE)
    bits = small[:, :-1] > small[:, 1:]
    return int.from_bytes(np.packbits(bits.reshape(-1)).tobytes(), "big")


def near_pairs(
    hashes: Hashes, miniatures: Miniatures, *, most_bits: int, most_levels: float
) -> NearPairs:
    """Return the pairs whose hashes ``(N,)`` and miniatures ``(N, 16, 16)`` both are close.

    A hash knows no contrast and says little of a plain image: the mean absolute difference of the
    miniatures, in grey levels, must be small too. Every pair is compared: about three seconds for
    60,000 images, a quarter of an hour for a million.
    """
    found = [
        _confirmed(rows, bits, miniatures, most_levels)
        for rows, bits in _close_hashes(hashes, most_bits)
    ]
    return NearPairs(
        np.concatenate([np.zeros((0, 2), np.int64), *(pairs.rows for pairs in found)]),
        np.concatenate([np.zeros(0, np.int64), *(pairs.bits for pairs in found)]),
        np.concatenate([np.zeros(0), *(pairs.levels for pairs in found)]),
    )


def _shrunk(grey: npt.NDArray[np.generic], width: int, height: int) -> Miniatures:
    return np.asarray(cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _close_hashes(hashes: Hashes, most_bits: int) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield pairs of rows ``(K, 2)`` within ``most_bits``, and their bits, a block at a time."""
    count = len(hashes)
    block = max(1, _BLOCK_ENTRIES // max(1, count))
    for start in range(0, count, block):
        later = hashes[start:]
        bits = np.bitwise_count(hashes[start : start + block, None] ^ later[None, :])
        first, second = np.nonzero(bits <= most_bits)
        above = first < second
        first, second = first[above], second[above]
        for part in range(0, len(first), _COMPARED_AT_ONCE):
            one, two = first[part : part + _COMPARED_AT_ONCE], second[part:][:_COMPARED_AT_ONCE]
            rows = np.stack([one, two], axis=1).astype(np.int64) + start
            yield rows, bits[one, two].astype(np.int64)


def _confirmed(
    rows: IntArray, bits: IntArray, miniatures: Miniatures, most_levels: float
) -> NearPairs:
    one, two = miniatures[rows[:, 0]].astype(np.int16), miniatures[rows[:, 1]].astype(np.int16)
    levels = np.abs(one - two).mean(axis=(1, 2))
    close = levels <= most_levels
    return NearPairs(rows[close], bits[close], levels[close])
