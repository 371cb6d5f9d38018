"""The detector on the people who do not exist: every size and place it may meet."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from app.domain.faces import Detection
from app.vision.decode import DecodeLimits, decode_photo
from app.vision.detector import DetectorOptions, FaceDetector
from app.vision.weights import read_detector_weights
from tests.vision.pictures import Pixels, smooth_noise

PEOPLE = Path(__file__).parents[1] / "fixtures" / "people"
PHOTOS = sorted(PEOPLE.glob("person-*/*.jpg"))
Points = npt.NDArray[np.float64]


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector(read_detector_weights())


def read(path: Path) -> Pixels:
    return decode_photo(path.read_bytes(), DecodeLimits())


def points_of(detection: Detection) -> Points:
    return np.array(detection.landmarks)


def eye_distance(points: Points) -> float:
    return float(np.linalg.norm(points[1] - points[0]))


def warped(picture: Pixels, matrix: Points, width: int, height: int) -> Pixels:
    flags = cv2.INTER_AREA if abs(matrix[0, 0]) < 1 else cv2.INTER_LINEAR
    moved = cv2.warpAffine(
        picture, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    return moved.astype(np.uint8, copy=False)


def tight_cut(picture: Pixels, face: Detection, share: float) -> tuple[Pixels, Points]:
    """Return the face's box, larger by ``share`` of it on each side, and the landmarks in it."""
    box = face.box
    left = max(0, round(box.x - share * box.width))
    top = max(0, round(box.y - share * box.height))
    right, bottom = box.x + box.width * (1 + share), box.y + box.height * (1 + share)
    cut = np.ascontiguousarray(picture[top : round(bottom), left : round(right)])
    return cut, points_of(face) - np.array([left, top])


def test_every_invented_photo_holds_exactly_one_large_face(detector: FaceDetector) -> None:
    assert len(PHOTOS) == 96
    for path in PHOTOS:
        faces = detector.detect(read(path))
        assert len(faces) == 1, path
        assert min(faces[0].box.width, faces[0].box.height) >= 100, path


@pytest.mark.parametrize("path", PHOTOS[::12], ids=lambda path: f"{path.parent.name}-{path.stem}")
@pytest.mark.parametrize("factor", [0.15, 0.25, 0.5, 2.0, 4.0])
def test_a_face_is_found_at_every_scale(detector: FaceDetector, path: Path, factor: float) -> None:
    picture = read(path)
    expected = points_of(detector.detect(picture)[0])
    size = round(picture.shape[1] * factor), round(picture.shape[0] * factor)
    resized = cv2.resize(
        picture, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    )
    faces = detector.detect(resized.astype(np.uint8, copy=False))
    assert len(faces) == 1
    apart = np.linalg.norm(points_of(faces[0]) / factor - expected, axis=1)
    assert apart.mean() < (0.15 if factor < 0.5 else 0.1) * eye_distance(expected)


@pytest.mark.parametrize("path", PHOTOS[::12], ids=lambda path: f"{path.parent.name}-{path.stem}")
@pytest.mark.parametrize("place", [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0), (0.5, 0.5)])
def test_a_face_is_found_wherever_it_stands(
    detector: FaceDetector, path: Path, place: tuple[float, float]
) -> None:
    picture = read(path)
    cut, landmarks = tight_cut(picture, detector.detect(picture)[0], 0.2)
    height, width = cut.shape[:2]
    room = np.full((900, 1400, 3), 150, np.uint8)
    left, top = round((1400 - width) * place[0]), round((900 - height) * place[1])
    room[top : top + height, left : left + width] = cut
    faces = detector.detect(room)
    assert len(faces) == 1
    apart = np.linalg.norm(points_of(faces[0]) - landmarks - np.array([left, top]), axis=1)
    assert apart.mean() < 0.12 * eye_distance(landmarks)


@pytest.mark.parametrize("path", PHOTOS[::12], ids=lambda path: f"{path.parent.name}-{path.stem}")
@pytest.mark.parametrize("factor", [0.4, 1.0, 6.0])
def test_a_tightly_cut_face_is_found(detector: FaceDetector, path: Path, factor: float) -> None:
    picture = read(path)
    cut, landmarks = tight_cut(picture, detector.detect(picture)[0], 0.0)
    large = cv2.resize(cut, None, fx=factor, fy=factor, interpolation=cv2.INTER_LINEAR)
    faces = detector.detect(large.astype(np.uint8, copy=False))
    assert len(faces) == 1
    apart = np.linalg.norm(points_of(faces[0]) / factor - landmarks, axis=1)
    assert apart.mean() < 0.2 * eye_distance(landmarks)


@pytest.mark.parametrize("degrees", [-35, -25, -15, 15, 25, 35])
def test_a_tilted_head_is_found_with_its_landmarks(detector: FaceDetector, degrees: int) -> None:
    picture = read(PHOTOS[0])
    expected = points_of(detector.detect(picture)[0])
    height, width = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D((float(expected[2, 0]), float(expected[2, 1])), degrees, 1.0)
    faces = detector.detect(warped(picture, np.asarray(matrix, np.float64), width, height))
    turned = expected @ np.asarray(matrix)[:, :2].T + np.asarray(matrix)[:, 2]
    assert len(faces) == 1
    apart = np.linalg.norm(points_of(faces[0]) - turned, axis=1)
    assert apart.mean() < 0.2 * eye_distance(expected)


def test_landmarks_scatter_little_when_the_photo_is_shifted(detector: FaceDetector) -> None:
    """The aligned crop hangs on this: YuNet's single look scatters by 6 % of the eye distance."""
    scatter = []
    for path in PHOTOS[::12]:
        picture = read(path)
        measured = []
        for step in range(6):
            shift = np.array([[1.0, 0, 3.3 * step], [0, 1.0, -2.1 * step]])
            moved = warped(picture, shift, picture.shape[1], picture.shape[0])
            measured.append(points_of(detector.detect(moved)[0]) - shift[:, 2])
        spread = np.sqrt(np.var(measured, axis=0, ddof=1).sum(axis=1)).mean()
        scatter.append(spread / eye_distance(measured[0]))
    assert np.median(scatter) < 0.025


def test_several_faces_come_largest_first(detector: FaceDetector) -> None:
    room = np.full((720, 1280, 3), 140, np.uint8)
    for place, (path, height) in enumerate(zip(PHOTOS[::40], [180, 420, 300], strict=True)):
        picture = read(path)
        cut, _ = tight_cut(picture, detector.detect(picture)[0], 0.3)
        width = round(height * cut.shape[1] / cut.shape[0])
        small = cv2.resize(cut, (width, height), interpolation=cv2.INTER_AREA)
        room[100 : 100 + height, 30 + place * 420 : 30 + place * 420 + width] = small
    faces = detector.detect(room)
    assert len(faces) == 3
    areas = [face.box.area for face in faces]
    assert areas == sorted(areas, reverse=True)
    assert [round(face.box.x // 420) for face in faces] == [1, 2, 0]


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 3000), (3000, 1), (2, 2), (31, 33), (10, 4000), (480, 640)]
)
def test_a_picture_without_a_face_gives_an_empty_list(
    detector: FaceDetector, shape: tuple[int, int]
) -> None:
    assert detector.detect(np.full((*shape, 3), 128, np.uint8)) == []


def test_what_is_found_is_finite_and_has_a_size() -> None:
    eager = FaceDetector(read_detector_weights(), DetectorOptions(min_score=0.05))
    for seed in range(12):
        picture = cv2.resize(smooth_noise(200, seed), (320, 200))
        for face in eager.detect(picture.astype(np.uint8, copy=False)):
            values = [face.box.x, face.box.y, face.box.width, face.box.height, face.score]
            assert np.isfinite(values).all()
            assert np.isfinite(face.landmarks).all()
            assert face.box.width > 0
            assert face.box.height > 0
            assert 0 <= face.score <= 1


def test_a_higher_score_is_stricter(detector: FaceDetector) -> None:
    strict = FaceDetector(read_detector_weights(), DetectorOptions(min_score=0.999))
    assert detector.detect(read(PHOTOS[0]))
    assert strict.detect(read(PHOTOS[0])) == []


def test_threads_do_not_disturb_each_other(detector: FaceDetector) -> None:
    """Pictures of all sizes at once must give what each gives alone: the network is stateful."""
    pictures = [read(path)[: 480 - 8 * place] for place, path in enumerate(PHOTOS[:16])]
    alone = [detector.detect(picture) for picture in pictures]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(detector.detect, pictures * 4))
    assert together == alone * 4


def test_a_picture_is_left_as_it_was(detector: FaceDetector) -> None:
    picture = read(PHOTOS[0])
    before = picture.copy()
    detector.detect(picture)
    assert np.array_equal(picture, before)
