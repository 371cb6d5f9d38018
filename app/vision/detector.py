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
from app.vision.refinement import RefinedFace, refine_face, turned_size
from app.vision.weights import DetectorWeights

FloatRows = npt.NDArray[np.float64]

_KEEP_ALL_OVERLAPPING = 1.0
_MAX_CANDIDATES = 2000
_PADDING_GREY = 128
_NO_CONFIG = np.zeros(0, np.uint8)
#: Tiles overlap by more than the faces that are looked for in them.
_TILE_SIDE, _TILE_STEP = 640, 512
#: The longer side of what a glance sees, and the shorter side of a face's box there that is near.
GLANCE_SIDE = 320
NEAR_FACE_PIXELS = 20.0


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
            return self._refined(network, picture, _largest_first(rows), upright)

    def glance(self, picture: Picture) -> list[Detection]:
        """Return the faces that one coarse look sees, largest first, not measured again.

        Empty where none is near: of the size that such a look measures reliably, seen upright. Then
        ``detect`` must look.
        """
        with self._network() as network:
            rows = self._look(network, picture, GLANCE_SIDE, border=0.0)
        rows = _largest_first(rows)
        nearest = float(rows[0, 2:4].min()) if len(rows) else 0.0
        near = nearest * GLANCE_SIDE >= NEAR_FACE_PIXELS * max(picture.shape)
        return [_detection(RefinedFace(row, None)) for row in rows] if near else []

    def refine(self, picture: Picture, faces: list[Detection]) -> list[Detection]:
        """Return what a glance saw with the largest measured again, in pixels of ``picture``."""
        rows = np.array([_row(face) for face in faces]).reshape(-1, 15)
        with self._network() as network:
            return self._refined(network, picture, rows, upright=0.0)

    def _refined(
        self, network: cv2.FaceDetectorYN, picture: Picture, rows: FloatRows, upright: float
    ) -> list[Detection]:
        faces = [RefinedFace(row, None) for row in rows]
        for position in range(min(len(rows), self.options.refined_faces)):
            faces[position] = refine_face(
                rows[position],
                picture,
                lambda window: _candidates(network, window),
                upright=upright,
            )
        return [_detection(face) for face in faces]

    def look_at_turns(self, picture: Picture, detection: Detection) -> Detection:
        """Return the face as it is seen best at any eighth of a turn; it may be the same.

        For a face that cannot be recognised as it stands: ``detect`` looks at other angles only
        where the upright look is not clear.
        """
        with self._network() as network:
            refined = refine_face(
                _row(detection),
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
        """Return the detections of the turn at which the detector's best score is highest.

        Quarter turns first, as cameras and phones are held, then the eighths between. The angle is
        that of the faces in the picture, clockwise, in radians.
        """
        small, factors = self._reduced(picture, self.options.max_side)
        for eighths in ((2, 4, 6), (1, 3, 5, 7)):
            angles = [eighth * math.pi / 4 for eighth in eighths]
            looks = [(self._look_at_angle(network, small, angle), angle) for angle in angles]
            rows, angle = max(looks, key=lambda look: look[0][:, 14].max(initial=0.0))
            if len(rows):
                return _scaled_up(rows, factors, padding=0), angle
        return np.zeros((0, 15)), 0.0

    def _look_at_angle(
        self, network: cv2.FaceDetectorYN, picture: Picture, angle: float
    ) -> FloatRows:
        """Return merged detections ``(N, 15)`` of a picture that is turned back by ``angle``."""
        height, width = picture.shape[:2]
        matrix = cv2.getRotationMatrix2D(
            ((width - 1) / 2, (height - 1) / 2), math.degrees(angle), 1.0
        )
        cosine, sine = np.abs(matrix[0, :2])
        size = round(width * cosine + height * sine), round(width * sine + height * cosine)
        matrix[:, 2] += [(size[0] - width) / 2, (size[1] - height) / 2]
        grey = (_PADDING_GREY, _PADDING_GREY, _PADDING_GREY)
        turned = cv2.warpAffine(
            picture, matrix, size, borderMode=cv2.BORDER_CONSTANT, borderValue=grey
        )
        rows = merge_candidates(_candidates(network, _as_bytes(turned)), self.options.min_score)
        back = np.linalg.inv(matrix[:, :2])
        points = rows[:, 4:14].reshape(-1, 5, 2)
        middles = (rows[:, 0:2] + rows[:, 2:4] / 2 - matrix[:, 2]) @ back.T
        rows[:, 4:14] = ((points - matrix[:, 2]) @ back.T).reshape(-1, 10)
        rows[:, 2:4] = turned_size(rows[:, 2:4], angle)
        rows[:, 0:2] = middles - rows[:, 2:4] / 2
        return rows

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
        small, factors = self._reduced(picture, max_side / (1 + 2 * border))
        padding = round(max(small.shape) * border)
        if padding:
            edges = (padding, padding, padding, padding)
            grey = (_PADDING_GREY, _PADDING_GREY, _PADDING_GREY)
            small = _as_bytes(
                cv2.copyMakeBorder(small, *edges, borderType=cv2.BORDER_CONSTANT, value=grey)
            )
        rows = merge_candidates(_candidates(network, small), self.options.min_score)
        return _scaled_up(rows, factors, padding)

    @staticmethod
    def _reduced(picture: Picture, max_side: float) -> tuple[Picture, npt.NDArray[np.float64]]:
        """Return a copy with sides of at most ``max_side``, and pixels of the picture per its."""
        height, width = picture.shape[:2]
        scale = min(1.0, max_side / max(height, width))
        size = max(1, round(width * scale)), max(1, round(height * scale))
        small = picture
        # Halving by areas and then a little by lines costs a sixth of any other share by areas.
        while min(small.shape[:2]) >= 2 and small.shape[1] >= 2 * size[0]:
            half = max(1, small.shape[1] // 2), max(1, small.shape[0] // 2)
            small = _as_bytes(cv2.resize(small, half, interpolation=cv2.INTER_AREA))
        if small.shape[1::-1] != size:
            small = _as_bytes(cv2.resize(small, size, interpolation=cv2.INTER_LINEAR))
        return small, np.array([width / size[0], height / size[1]])

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


def _largest_first(rows: FloatRows) -> FloatRows:
    """Return detections ``(N, 15)`` by the area of their boxes."""
    return rows[np.argsort(-rows[:, 2] * rows[:, 3], kind="stable")]


def _row(detection: Detection) -> npt.NDArray[np.float64]:
    """Return a detection as the row ``(15,)`` that the network gives."""
    box, points = detection.box, np.asarray(detection.landmarks).ravel()
    return np.array([box.x, box.y, box.width, box.height, *points, detection.score])


def _tile_starts(length: int) -> list[int]:
    """Return where tiles begin that cover ``length`` pixels."""
    last = max(0, length - _TILE_SIDE)
    return [*range(0, last, _TILE_STEP), last]


def _detection(face: RefinedFace) -> Detection:
    values = [float(value) for value in face.row]
    points = tuple((values[place], values[place + 1]) for place in range(4, 14, 2))
    return Detection(Box(*values[:4]), points, min(1.0, max(0.0, values[14])), face.aspect)
