from __future__ import annotations

import hashlib

import cv2
import numpy as np

from tests.training.data.made_images import pixels
from training.foundation.arrays import ByteImage
from training.inspection.fingerprints import Hashes, difference_hash, fingerprint, near_pairs


def slow_pairs(
    hashes: Hashes, miniatures: ByteImage, bits: int, correlation: float
) -> set[tuple[int, int]]:
    """Compare every two by counting ones in text and by NumPy's own correlation."""
    found = set()
    for first in range(len(hashes)):
        for second in range(first + 1, len(hashes)):
            ones = format(int(hashes[first]) ^ int(hashes[second]), "b").count("1")
            cells = np.corrcoef(miniatures[first].ravel(), miniatures[second].ravel())
            if ones <= bits and cells[0, 1] >= correlation:
                found.add((first, second))
    return found


def test_the_hash_asks_of_each_cell_whether_it_is_brighter_than_the_next() -> None:
    small = np.random.default_rng(1).integers(0, 256, (8, 9), dtype=np.uint8)
    picture = np.repeat(np.repeat(small, 10, axis=0), 10, axis=1)[:, :, None].repeat(3, axis=2)
    text = "".join(
        "1" if small[row, column] > small[row, column + 1] else "0"
        for row in range(8)
        for column in range(8)
    )
    assert difference_hash(picture) == int(text, 2)


def test_a_resized_recompressed_copy_is_near_and_another_picture_is_not() -> None:
    picture = pixels(1, 200, 200)
    _, jpeg = cv2.imencode(".jpg", cv2.resize(picture, (150, 150)), [cv2.IMWRITE_JPEG_QUALITY, 60])
    copy = np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.uint8)
    prints = [fingerprint(p) for p in (picture, copy, pixels(2, 200, 200))]
    hashes = np.array([one.gradients for one in prints], np.uint64)
    miniatures = np.array([one.miniature for one in prints])
    pairs = near_pairs(hashes, miniatures, max_bits=6, min_correlation=0.99)
    assert pairs.rows.tolist() == [[0, 1]]
    assert prints[0].digest != prints[1].digest


def test_near_pairs_are_those_of_slow_counting() -> None:
    random = np.random.default_rng(3)
    hashes = random.integers(0, 2**63, 12, dtype=np.uint64).repeat(4)
    flips = random.integers(0, 2**63, (48, 4), dtype=np.uint64)
    hashes ^= flips[:, 0] & flips[:, 1] & flips[:, 2] & flips[:, 3]  # a few bits each
    plain = random.integers(0, 256, (12, 16, 16)).repeat(4, axis=0)
    noise = random.integers(-30, 31, (48, 1, 1)) * random.integers(0, 2, (48, 16, 16))
    miniatures = np.clip(plain + noise, 0, 255).astype(np.uint8)
    pairs = near_pairs(hashes, miniatures, max_bits=7, min_correlation=0.98)
    expected = slow_pairs(hashes, miniatures, 7, 0.98)
    assert {(int(first), int(second)) for first, second in pairs.rows} == expected
    assert 0 < len(expected) < 12 * 6
    for (first, second), bits in zip(pairs.rows, pairs.bits, strict=True):
        assert int(bits) == (int(hashes[first]) ^ int(hashes[second])).bit_count()


def test_more_images_than_one_block_are_all_compared() -> None:
    count = 3000  # blocks of 1,333 rows
    hashes = np.arange(count, dtype=np.uint64) << np.uint64(20)
    hashes[2999] = hashes[0]
    hashes[1500] = hashes[1400]
    ramp = np.arange(256, dtype=np.uint8).reshape(1, 16, 16).repeat(count, axis=0)
    pairs = near_pairs(hashes, ramp, max_bits=0, min_correlation=0.99)
    assert sorted(map(tuple, pairs.rows.tolist())) == [(0, 2999), (1400, 1500)]


def test_the_digest_is_of_the_pixels_and_their_shape() -> None:
    picture = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    shape = b"".join(side.to_bytes(8, "little") for side in (2, 4, 3))
    assert fingerprint(picture).digest == hashlib.sha256(shape + bytes(range(24))).hexdigest()
    assert fingerprint(picture.reshape(4, 2, 3)).digest != fingerprint(picture).digest


def test_plain_pictures_are_near_to_nothing() -> None:
    black, white = (fingerprint(np.full((20, 20, 3), level, np.uint8)) for level in (0, 255))
    assert black.gradients == white.gradients
    hashes = np.array([black.gradients, white.gradients], np.uint64)
    pairs = near_pairs(
        hashes, np.array([black.miniature, white.miniature]), max_bits=6, min_correlation=0.99
    )
    assert not len(pairs.rows)


def test_something_bright_in_the_dark_is_not_the_same_for_its_place() -> None:
    """Two faces on black: the hashes agree, for most cells are black, and the faces do not."""
    dark = np.zeros((2, 128, 128, 3), np.uint8)
    for number in range(2):
        dark[number, 48:80, 48:80] = pixels(number, 32, 32)
    prints = [fingerprint(picture) for picture in dark]
    hashes = np.array([one.gradients for one in prints], np.uint64)
    miniatures = np.array([one.miniature for one in prints])
    assert len(near_pairs(hashes, miniatures, max_bits=12, min_correlation=0.0).rows) == 1
    assert not len(near_pairs(hashes, miniatures, max_bits=12, min_correlation=0.99).rows)
