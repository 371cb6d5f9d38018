"""Tells whether two images are the same or nearly: digest, perceptual hash, miniature."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from app.domain.faces import Picture
from training.foundation.arrays import ByteImage, FloatArray, IntArray, Matrix

Hashes = npt.NDArray[np.uint64]

MINIATURE_SIDE = 16
_HASH_SIDE = 8
_BLOCK_ENTRIES = 4_000_000
_COMPARED_AT_ONCE = 50_000
_PLAIN_VARIANCE = 1.0  # of grey levels: below it there is nothing to correlate


@dataclass(frozen=True)
class Fingerprint:
    """``digest``: SHA-256 of the decoded pixels and their shape, in hexadecimal digits.

    ``gradients``: 64-bit dHash. ``miniature``: grey uint8 ``(16, 16)``.
    """

    digest: str
    gradients: int
    miniature: ByteImage


@dataclass(frozen=True)
class NearPairs:
    """Rows of pairs ``(K, 2)``, bits by which hashes differ ``(K,)``, miniatures' correlation."""

    rows: IntArray
    bits: IntArray
    correlation: FloatArray


def fingerprint(picture: Picture) -> Fingerprint:
    """Return the fingerprint of a uint8 RGB picture.

    The digest is of pixels, not of the file, so a copy saved anew without loss is found too.
    """
    shape = np.array(picture.shape, "<i8").tobytes()
    grey = _grey(picture)
    return Fingerprint(
        digest=hashlib.sha256(shape + np.ascontiguousarray(picture).tobytes()).hexdigest(),
        gradients=difference_hash(picture),
        miniature=_shrunk(grey, MINIATURE_SIDE, MINIATURE_SIDE),
    )


def difference_hash(picture: Picture) -> int:
    """Return the 64-bit dHash (Krawetz 2013): whether each cell is brighter than its right one.

    Cells are those of a 9 x 8 miniature, read row by row from the highest bit.
    """
    grey = _grey(picture)
    small = _shrunk(grey, _HASH_SIDE + 1, _HASH_SIDE)
    bits = small[:, :-1] > small[:, 1:]
    return int.from_bytes(np.packbits(bits.reshape(-1)).tobytes(), "big")


def near_pairs(
    hashes: Hashes, miniatures: ByteImage, *, max_bits: int, min_correlation: float
) -> NearPairs:
    """Return the pairs whose hashes ``(N,)`` and miniatures ``(N, 16, 16)`` both are close.

    A hash alone takes two dark pictures with something bright in one place for the same; the
    correlation of the miniatures over their cells does not, and bears other light and contrast.
    Plain images correlate with nothing: of those only copies are the same. Every pair is compared:
    two seconds of one core for 25,000 images, growing with the square.
    """
    found = [
        _confirmed(rows, bits, miniatures, min_correlation)
        for rows, bits in _close_hashes(hashes, max_bits)
    ]
    return NearPairs(
        np.concatenate([np.zeros((0, 2), np.int64), *(pairs.rows for pairs in found)]),
        np.concatenate([np.zeros(0, np.int64), *(pairs.bits for pairs in found)]),
        np.concatenate([np.zeros(0), *(pairs.correlation for pairs in found)]),
    )


def _grey(picture: Picture) -> ByteImage:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)


def _shrunk(grey: ByteImage, width: int, height: int) -> ByteImage:
    return np.asarray(cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _close_hashes(hashes: Hashes, max_bits: int) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield pairs of rows ``(K, 2)`` within ``max_bits``, and their bits, a block at a time."""
    count = len(hashes)
    block = max(1, _BLOCK_ENTRIES // max(1, count))
    for start in range(0, count, block):
        later = hashes[start:]
        bits = np.bitwise_count(hashes[start : start + block, None] ^ later[None, :])
        first, second = np.nonzero(bits <= max_bits)
        above = first < second
        first, second = first[above], second[above]
        for part in range(0, len(first), _COMPARED_AT_ONCE):
            one, two = first[part : part + _COMPARED_AT_ONCE], second[part:][:_COMPARED_AT_ONCE]
            rows = np.stack([one, two], axis=1).astype(np.int64) + start
            yield rows, bits[one, two].astype(np.int64)


def _confirmed(
    rows: IntArray, bits: IntArray, miniatures: ByteImage, min_correlation: float
) -> NearPairs:
    one, two = _centred(miniatures[rows[:, 0]]), _centred(miniatures[rows[:, 1]])
    spread = np.sqrt(_mean_of_cells(one * one) * _mean_of_cells(two * two))
    correlation = _mean_of_cells(one * two) / np.maximum(spread, _PLAIN_VARIANCE)
    close = correlation >= min_correlation
    return NearPairs(rows[close], bits[close], correlation[close])


def _centred(miniatures: ByteImage) -> Matrix:
    cells = miniatures.reshape(len(miniatures), MINIATURE_SIDE**2).astype(np.float32)
    centred: Matrix = cells - cells.mean(axis=1, keepdims=True)
    return centred


def _mean_of_cells(products: Matrix) -> FloatArray:
    means: FloatArray = products.mean(axis=1).astype(np.float64)
    return means
