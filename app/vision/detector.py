"""Finds faces and their landmarks with YuNet (Wu, Peng and Yu, MIR 2023) through OpenCV."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from app.domain.errors import DetectorArtifactError
from app.domain.faces import Box, Detection, Picture
from app.vision.candidates import merge_candidates
from app.vision.refinement import refine_landmarks
from app.vision.weights import DetectorWeights

FloatRows = npt.NDArray[np.float64]

_KEEP_ALL_OVERLAPPING = 1.0
_MAX_CANDIDATES = 2000
_PADDING_GREY = 128
_NO_CONFIG = np.zeros(0, np.uint8)


@dataclass(frozen=True)
class DetectorOptions:
    """How hard the detector looks.

    ``max_side`` bounds the longest side that the network sees first; where it finds nothing it may
    see four thirds of that. ``min_score`` is the confidence
    below which a face does not count. Of the largest ``refined_faces`` the landmarks are measured
    a second time.
    """

    max_side: int = 480
    min_score: float = 0.6
    refined_faces: int = 2


class FaceDetector:
    """YuNet. Safe to call from several threads: each call has a network of its own.

    A network is stateful (it holds its input size and buffers), so calls borrow one from a stack
    that grows to as many as were ever in use at once.
    """

    def __init__(self, weights: DetectorWeights, options: DetectorOptions | None = None) -> None:
        """Load the network; raises ``DetectorArtifactError`` where OpenCV cannot."""
        self.options = options or DetectorOptions()
        self.weights_sha256 = weights.sha256
        self._buffer = np.frombuffer(weights.content, np.uint8)
        self._idle: deque[cv2.FaceDetectorYN] = deque()
        try:
            with self._network() as network:
                _candidates(network, np.zeros((64, 64, 3), np.uint8))
        except cv2.error as error:
            raise DetectorArtifactError("OpenCV cannot load the detector's weights") from error

    def detect(self, picture: Picture) -> list[Detection]:
        """Return the faces of an RGB picture, largest first, in its own pixels.

        Where nothing is found, a finer look is taken for a small face, and then one at a smaller
        copy with a border: a face that fills the whole picture lacks surroundings.
        """
        side = self.options.max_side
        with self._network() as network:
            rows = self._look(network, picture, side, border=0.0)
            if not len(rows) and max(picture.shape) > side:
                rows = self._look(network, picture, side * 4 // 3, border=0.0)
            if not len(rows):
                rows = self._look(network, picture, side // 2, border=0.25)
            rows = rows[np.argsort(-rows[:, 2] * rows[:, 3], kind="stable")]
            for row in rows[: self.options.refined_faces]:
                row[4:14] = refine_landmarks(
                    row, picture, lambda window: _candidates(network, window)
                )
        return [_detection(row) for row in rows]

    def _look(
        self, network: cv2.FaceDetectorYN, picture: Picture, max_side: int, border: float
    ) -> FloatRows:
        """Return merged detections ``(N, 15)`` in pixels of ``picture``; ``border`` of its side."""
        height, width = picture.shape[:2]
        scale = min(1.0, max_side / (max(height, width) * (1 + 2 * border)))
        size = max(1, round(width * scale)), max(1, round(height * scale))
        small = picture
        if size != (width, height):
            small = _as_bytes(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))
        padding = round(max(size) * border)
        if padding:
            edges = (padding, padding, padding, padding)
            grey = (_PADDING_GREY, _PADDING_GREY, _PADDING_GREY)
            small = _as_bytes(
                cv2.copyMakeBorder(small, *edges, borderType=cv2.BORDER_CONSTANT, value=grey)
            )
        rows = _candidates(network, small)
        rows = merge_candidates(rows, self.options.min_score)
        factors = np.array([width / size[0], height / size[1]])
        rows[:, 0:2] = (rows[:, 0:2] - padding) * factors
        rows[:, 2:4] *= factors
        points = rows[:, 4:14].reshape(-1, 5, 2)
        rows[:, 4:14] = ((points - padding + 0.5) * factors - 0.5).reshape(-1, 10)
        return rows

    @contextmanager
    def _network(self) -> Iterator[cv2.FaceDetectorYN]:
        try:
            network = self._idle.pop()
        except IndexError:
            network = cv2.FaceDetectorYN.create(
                "onnx",
                self._buffer,
                _NO_CONFIG,
                (64, 64),
                self.options.min_score,
                _KEEP_ALL_OVERLAPPING,
                _MAX_CANDIDATES,
            )
        try:
            yield network
        finally:
            self._idle.append(network)


def _as_bytes(picture: npt.NDArray[np.generic]) -> Picture:
    return picture.astype(np.uint8, copy=False)


def _candidates(network: cv2.FaceDetectorYN, picture: Picture) -> FloatRows:
    """Return every candidate ``(N, 15)`` that the network sees: box, five points, score."""
    height, width = picture.shape[:2]
    network.setInputSize((width, height))
    found = network.detect(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1]
    if found is None:
        return np.zeros((0, 15))
    rows = np.asarray(found, dtype=np.float64).reshape(-1, 15)
    usable = np.isfinite(rows).all(axis=1) & (rows[:, 2] >= 1) & (rows[:, 3] >= 1)
    return rows[usable]


def _detection(row: npt.NDArray[np.float64]) -> Detection:
    values = [float(value) for value in row]
    points = tuple((values[place], values[place + 1]) for place in range(4, 14, 2))
    return Detection(Box(*values[:4]), points, min(1.0, max(0.0, values[14])))
