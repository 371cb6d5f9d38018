"""Measures how plain a face is, neither covered nor altered, by a small network of the model."""

from __future__ import annotations

import hashlib
import math
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from app.domain.errors import ModelArtifactError
from app.domain.golden import golden_input
from app.domain.plainness import Plainness

#: Rows and columns of the crop that are looked at, and the side of what the network is given.
_MIDDLE = (slice(26, 110), slice(14, 98))
SIDE = 56
#: How far, in pixels of that, the two sides of a face may be apart to be compared.
_SIDE_SHIFTS = 4
_MIN_CONTRAST = 8.0
_DETAIL_LEVELS = 4.0
PLANES = 5


class PlainnessNetwork:
    """The network that a manifest names. Safe to call from several threads.

    A network of OpenCV is stateful, so calls borrow one from a stack that grows to as many as were
    ever in use at once.
    """

    def __init__(self, content: bytes, expected: Plainness) -> None:
        """Load an ONNX file and try it; raises ``ModelArtifactError`` where it misbehaves.

        Its answer to the golden input must be the one of its export.
        """
        self._buffer = np.frombuffer(content, np.uint8)
        self._idle: deque[cv2.dnn.Net] = deque()
        (crop,) = golden_input(expected.input_size)
        answer = self._answer(crop)
        if not abs(answer - expected.golden) <= expected.golden_tolerance:
            raise ModelArtifactError(
                f"{expected.file} answers the golden input with {answer:.5f}, "
                f"{expected.golden:.5f} is expected"
            )

    def measure(self, crop: npt.NDArray[np.uint8]) -> float:
        """Return how plain the face of an RGB crop ``(3, 112, 112)`` is, 0 to 1."""
        return 1 / (1 + math.exp(-min(60.0, max(-60.0, self._answer(crop)))))

    def _answer(self, crop: npt.NDArray[np.uint8]) -> float:
        """Return the network's log-odds that a face is plain; raises ``ModelArtifactError``."""
        try:
            with self._network() as network:
                network.setInput(network_input(crop)[None])
                output = np.asarray(network.forward(), dtype=np.float64)
        except cv2.error as error:
            raise ModelArtifactError(f"the network of plainness does not run: {error}") from error
        if output.size != 1 or not np.isfinite(output).all():
            raise ModelArtifactError(f"the network of plainness gave {output.shape} or no number")
        return float(output.reshape(-1)[0])

    @contextmanager
    def _network(self) -> Iterator[cv2.dnn.Net]:
        try:
            network = self._idle.pop()
        except IndexError:
            network = cv2.dnn.readNetFromONNX(self._buffer)
        try:
            yield network
        finally:
            self._idle.append(network)


def read_plainness(folder: Path, expected: Plainness | None) -> PlainnessNetwork | None:
    """Return the network of the model in ``folder``; None where its manifest names none.

    Raises ``ModelArtifactError`` where the file is missing or is not the manifest's.
    """
    if expected is None:
        return None
    try:
        content = (folder / expected.file).read_bytes()
    except OSError as error:
        raise ModelArtifactError(f"the network of plainness cannot be read: {error}") from error
    if hashlib.sha256(content).hexdigest() != expected.sha256:
        raise ModelArtifactError(f"{expected.file} is not its manifest's file: SHA-256 differs")
    return PlainnessNetwork(content, expected)


def network_input(crop: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Return what the network is given of an RGB crop ``(3, 112, 112)``: float32 ``(5, 56, 56)``.

    Of the middle, from the forehead to the chin and from cheek to cheek; hair and what stands
    behind a face are none of its business. Three planes are the colours, about -2 to 2. The fourth
    says how far the face's sides differ: the least difference of the luma from its own mirror image
    within four pixels to either side, over the contrast; a face that was put together of one half
    and its mirror image has nearly none. The fifth is the detail finer than 3 pixels.
    """
    picture = np.ascontiguousarray(crop[:, *_MIDDLE].transpose(1, 2, 0))
    planes = np.empty((PLANES, SIDE, SIDE), np.float32)
    small = cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    np.subtract(small.transpose(2, 0, 1), np.float32(127.5), out=planes[:3])
    planes[:3] /= 64.0
    luma = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    planes[3] = _difference_of_sides(cv2.resize(luma, (SIDE, SIDE), interpolation=cv2.INTER_AREA))
    detail = cv2.absdiff(luma, cv2.blur(luma, (3, 3)))
    planes[4] = cv2.resize(detail, (SIDE, SIDE), interpolation=cv2.INTER_AREA) / _DETAIL_LEVELS
    return planes


def _difference_of_sides(luma: cv2.typing.MatLike) -> npt.NDArray[np.float32]:
    edges = (0, 0, _SIDE_SHIFTS, _SIDE_SHIFTS)
    mirrored = cv2.copyMakeBorder(cv2.flip(luma, 1), *edges, borderType=cv2.BORDER_REPLICATE)
    least = cv2.absdiff(luma, mirrored[:, :SIDE])
    for shift in range(1, 2 * _SIDE_SHIFTS + 1):
        least = cv2.min(least, cv2.absdiff(luma, mirrored[:, shift : shift + SIDE]))
    contrast = float(cv2.meanStdDev(luma)[1][0, 0])
    return np.asarray(least / (contrast + _MIN_CONTRAST), dtype=np.float32)
