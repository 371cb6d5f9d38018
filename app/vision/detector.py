"""Finds faces and their landmarks with YuNet (Wu, Peng and Yu, MIR 2023) through OpenCV."""

from __future__ import annotations

import math
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
from app.vision.refinement import refine_face
from app.vision.weights import DetectorWeights

FloatRows = npt.NDArray[np.float64]

_KEEP_ALL_OVERLAPPING = 1.0
_MAX_CANDIDATES = 2000
_PADDING_GREY = 128
_NO_CONFIG = np.zeros(0, np.uint8)
#: Tiles overlap by more than the faces that are looked for in them.
_TILE_SIDE, _TILE_STEP = 640, 512


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

        Where nothing is found, closer looks are taken: finer; at a smaller copy with a border, for
        a face that fills the whole picture lacks surroundings; at the three other quarter turns;
        and in tiles of at most half the picture's scale, for small faces in large pictures.
        """
        with self._network() as network:
            rows, upright = self._find(network, picture)
            rows = rows[np.argsort(-rows[:, 2] * rows[:, 3], kind="stable")]
            for position in range(min(len(rows), self.options.refined_faces)):
                rows[position] = refine_face(
                    rows[position],
                    picture,
                    lambda window: _candidates(network, window),
                    upright=upright,
                )
        return [_detection(row) for row in rows]

    def look_at_turns(self, picture: Picture, detection: Detection) -> Detection:
        """Return the face as it is seen best at any eighth of a turn; it may be the same.

        For a face that cannot be recognised as it stands: ``detect`` looks at other angles only
        where the upright look is not clear.
        """
        box, points = detection.box, np.asarray(detection.landmarks).ravel()
        row = np.array([box.x, box.y, box.width, box.height, *points, detection.score])
        with self._network() as network:
            refined = refine_face(
                row,
                picture,
                lambda window: _candidates(network, window),
                upright=math.radians(detection.turned_degrees),
                search=True,
            )
        return _detection(refined)

    def _find(self, network: cv2.FaceDetectorYN, picture: Picture) -> tuple[FloatRows, float]:
        """Return merged detections ``(N, 15)`` and the angle in radians at which they were seen."""
        side = self.options.max_side
        rows = self._look(network, picture, side, border=0.0)
        if not len(rows) and max(picture.shape) > side:
            rows = self._look(network, picture, side * 4 // 3, border=0.0)
        if not len(rows):
            rows = self._look(network, picture, side // 2, border=0.25)
        if not len(rows):
            rows, upright = self._look_turned(network, picture)
            if len(rows):
                return rows, upright
        if not len(rows) and max(picture.shape) > side * 8 // 3:
            rows = self._look_in_tiles(network, picture)
        return rows, 0.0

    def _look_turned(
        self, network: cv2.FaceDetectorYN, picture: Picture
    ) -> tuple[FloatRows, float]:
        """Return the detections of the quarter turn at which the detector's best score is highest.

        The angle is that of the faces in the picture, clockwise.
        """
        height, width = picture.shape[:2]
        best, upright, top_score = np.zeros((0, 15)), 0.0, 0.0
        for quarters in (1, 2, 3):
            turned = np.ascontiguousarray(np.rot90(picture, quarters))  # counterclockwise
            rows = self._look(network, turned, self.options.max_side, border=0.0)
            if len(rows) and float(rows[:, 14].max()) > top_score:
                top_score = float(rows[:, 14].max())
                best, upright = _turned_back(rows, quarters, width, height), quarters * math.pi / 2
        return best, upright

    def _look_in_tiles(self, network: cv2.FaceDetectorYN, picture: Picture) -> FloatRows:
        """Return the small faces of a large picture, looked at in overlapping tiles.

        At half the picture's scale, at which the smallest face that a door takes still has the ten
        pixels that the network needs; larger faces were found before.
        """
        height, width = picture.shape[:2]
        half = max(1, width // 2), max(1, height // 2)
        small = _as_bytes(cv2.resize(picture, half, interpolation=cv2.INTER_AREA))
        found = []
        for top in _tile_starts(small.shape[0]):
            for left in _tile_starts(small.shape[1]):
                tile = small[top : top + _TILE_SIDE, left : left + _TILE_SIDE]
                rows = _candidates(network, np.ascontiguousarray(tile))
                rows[:, [0, 4, 6, 8, 10, 12]] += left
                rows[:, [1, 5, 7, 9, 11, 13]] += top
                found.append(rows)
        rows = merge_candidates(np.concatenate(found), self.options.min_score)
        factors = np.array([width / small.shape[1], height / small.shape[0]])
        return _scaled_up(rows, factors, padding=0)

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
        rows = merge_candidates(_candidates(network, small), self.options.min_score)
        return _scaled_up(rows, np.array([width / size[0], height / size[1]]), padding)

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


def _scaled_up(rows: FloatRows, factors: npt.NDArray[np.float64], padding: int) -> FloatRows:
    """Return detections of a reduced, padded copy in pixels of the picture."""
    rows[:, 0:2] = (rows[:, 0:2] - padding) * factors
    rows[:, 2:4] *= factors
    points = rows[:, 4:14].reshape(-1, 5, 2)
    rows[:, 4:14] = ((points - padding + 0.5) * factors - 0.5).reshape(-1, 10)
    return rows


def _tile_starts(length: int) -> list[int]:
    """Return where tiles begin that cover ``length`` pixels."""
    last = max(0, length - _TILE_SIDE)
    return [*range(0, last, _TILE_STEP), last]


def _turned_back(rows: FloatRows, quarters: int, width: int, height: int) -> FloatRows:
    """Return detections in a copy that was turned counterclockwise by quarters, in the picture.

    ``width`` and ``height`` are the picture's. Landmarks keep their order.
    """
    back = rows.copy()
    corners = np.stack([rows[:, 0:2], rows[:, 0:2] + rows[:, 2:4]], axis=1)
    points = rows[:, 4:14].reshape(-1, 5, 2)
    corners = _unturned(corners, quarters, width, height)
    back[:, 0:2] = corners.min(axis=1)
    back[:, 2:4] = np.abs(corners[:, 1] - corners[:, 0])
    # Pixel centres lie half a pixel inside of the edges that a turn maps to each other.
    back[:, 4:14] = (_unturned(points + 0.5, quarters, width, height) - 0.5).reshape(-1, 10)
    return back


def _unturned(
    points: npt.NDArray[np.float64], quarters: int, width: int, height: int
) -> npt.NDArray[np.float64]:
    x, y = points[..., 0], points[..., 1]
    if quarters == 1:
        return np.stack([width - y, x], axis=-1)
    if quarters == 2:
        return np.stack([width - x, height - y], axis=-1)
    return np.stack([y, height - x], axis=-1)


def _detection(row: npt.NDArray[np.float64]) -> Detection:
    values = [float(value) for value in row]
    points = tuple((values[place], values[place + 1]) for place in range(4, 14, 2))
    return Detection(Box(*values[:4]), points, min(1.0, max(0.0, values[14])))
