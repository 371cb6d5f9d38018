"""A face at any turn of the picture comes out as if upright, and a small one in a large picture."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from app.domain.faces import Detection
from app.vision.detector import FaceDetector
from app.vision.weights import read_detector_weights
from tests.vision.pictures import Pixels, smooth_noise
from tests.vision.test_detector import PHOTOS, eye_distance, points_of, read

SOME = PHOTOS[::16]
Matrix = npt.NDArray[np.float64]


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector(read_detector_weights())


def turned(picture: Pixels, degrees: float) -> tuple[Pixels, Matrix]:
    """Return the picture turned clockwise on a larger canvas, and the 2 x 3 matrix of the turn."""
    height, width = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -degrees, 1.0)
    cosine, sine = np.abs(matrix[0, :2])
    size = round(width * cosine + height * sine), round(width * sine + height * cosine)
    shift = np.array([[0.0, 0.0, (size[0] - width) / 2], [0.0, 0.0, (size[1] - height) / 2]])
    moved = cv2.warpAffine(picture, matrix + shift, size, borderMode=cv2.BORDER_REPLICATE)
    return moved.astype(np.uint8, copy=False), np.asarray(matrix + shift)


def largest(faces: list[Detection]) -> Detection:
    return max(faces, key=lambda face: face.box.area)


@pytest.mark.parametrize("degrees", [-45, -30, -15, 30, 45, 60, 90, 135, 180, 225, 270])
def test_landmarks_turn_with_the_picture(detector: FaceDetector, degrees: int) -> None:
    apart = []
    for path in SOME:
        picture = read(path)
        upright = points_of(largest(detector.detect(picture)))
        moved, matrix = turned(picture, degrees)
        face = largest(detector.detect(moved))
        expected = upright @ matrix[:, :2].T + matrix[:, 2]
        off = np.linalg.norm(points_of(face) - expected, axis=1).mean()
        apart.append(off / eye_distance(upright))
        box = np.array([face.box.x, face.box.y, face.box.width, face.box.height])
        middle = box[:2] + box[2:] / 2
        assert np.linalg.norm(middle - expected.mean(axis=0)) < eye_distance(upright)
        assert face.turned_degrees in {round(degrees / 90 + lean) % 4 * 90 for lean in (-0.2, 0.2)}
    assert max(apart) < 0.2
    assert np.median(apart) < 0.1


def test_a_second_look_changes_nothing_of_an_upright_face(detector: FaceDetector) -> None:
    for path in SOME:
        picture = read(path)
        face = largest(detector.detect(picture))
        again = detector.look_at_turns(picture, face)
        off = np.linalg.norm(points_of(again) - points_of(face), axis=1).mean()
        assert off < 0.1 * eye_distance(points_of(face))
        assert again.turned_degrees == 0


def test_a_second_look_finds_a_face_that_was_measured_upside_down(detector: FaceDetector) -> None:
    for path in SOME:
        picture = read(path)
        face = largest(detector.detect(picture))
        height, width = picture.shape[:2]
        upside_down = np.ascontiguousarray(picture[::-1, ::-1])
        # Where the box is, but with landmarks as the detector sees them without looking at turns.
        box = face.box
        wrong = Detection(
            type(box)(
                width - box.x - box.width, height - box.y - box.height, box.width, box.height
            ),
            tuple((x + width - 2 * (box.x + box.width / 2), y) for x, y in face.landmarks),
            0.95,
        )
        found = detector.look_at_turns(upside_down, wrong)
        expected = np.array([width - 1, height - 1]) - points_of(face)
        off = np.linalg.norm(points_of(found) - expected, axis=1).mean()
        assert found.turned_degrees == 180
        assert off < 0.1 * eye_distance(expected)


@pytest.mark.slow
@pytest.mark.parametrize("pixels", [40, 60, 80])
def test_a_small_face_is_found_in_a_very_large_picture(detector: FaceDetector, pixels: int) -> None:
    for place, path in enumerate(SOME):
        picture = read(path)
        face = largest(detector.detect(picture))
        scale = pixels / min(face.box.width, face.box.height)
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        scene = cv2.resize(smooth_noise(120, place), (3840, 2160)).astype(np.uint8)
        left, top = 200 + 480 * place, 150 + 250 * place
        scene[top : top + small.shape[0], left : left + small.shape[1]] = small
        found = largest(detector.detect(scene))
        expected = (points_of(face) + 0.5) * scale - 0.5 + np.array([left, top])
        off = np.linalg.norm(points_of(found) - expected, axis=1).mean()
        assert off < 0.15 * eye_distance(expected)
