from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.domain.faces import Box, Picture
from app.vision.detector import FaceDetector
from tests.training.data.made_images import image_set, pixels
from training.data.blurring import blur_faces, blurred_set, watchful_detector
from training.data.decoding import read_picture

#: Nobody: this person was invented for the tests.
PHOTO = Path(__file__).parents[2] / "fixtures" / "people" / "person-01" / "1.jpg"


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return watchful_detector()


@pytest.fixture(scope="module")
def photo() -> Picture:
    return read_picture(PHOTO, "person-01")


def face_box(detector: FaceDetector, photo: Picture) -> Box:
    faces = detector.detect(photo)
    assert faces
    return faces[0].box


def detail(picture: Picture) -> float:
    """Return how much neighbouring pixels differ."""
    return float(np.abs(np.diff(picture.astype(np.int16), axis=1)).mean())


def test_a_face_loses_its_detail_and_the_rest_stays(detector: FaceDetector, photo: Picture) -> None:
    box = face_box(detector, photo)
    blurred = blur_faces(photo, detector)
    rows = slice(int(box.y), int(box.y + box.height))
    columns = slice(int(box.x), int(box.x + box.width))
    assert detail(blurred[rows, columns]) < 0.35 * detail(photo[rows, columns])
    below = int(box.y + 1.4 * box.height)
    np.testing.assert_array_equal(blurred[below:], photo[below:])
    assert detail(photo[below:]) > 0


def test_a_blurred_face_cannot_be_averaged_back(detector: FaceDetector, photo: Picture) -> None:
    """What is left of a box is as much as six cells a side can hold."""
    box = face_box(detector, photo)
    blurred = blur_faces(photo, detector)
    top, left = int(box.y - 0.3 * box.height), int(box.x - 0.3 * box.width)
    region = blurred[top : int(box.y + 1.3 * box.height), left : int(box.x + 1.3 * box.width), 1]
    spectrum = np.linalg.svd(region.astype(np.float64), compute_uv=False)
    assert spectrum[8:].sum() < 0.02 * spectrum.sum()


def test_a_picture_without_a_face_is_blurred_whole(detector: FaceDetector) -> None:
    checks = np.indices((96, 96)).sum(axis=0) // 4 % 2
    picture = (checks[:, :, None].repeat(3, axis=2) * 255).astype(np.uint8)
    assert not detector.detect(picture)
    assert detail(blur_faces(picture, detector)) < 0.05 * detail(picture)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (3, 5), (2, 200)])
def test_the_smallest_pictures_are_blurred_too(
    detector: FaceDetector, height: int, width: int
) -> None:
    blurred = blur_faces(pixels(1, height, width), detector)
    assert blurred.shape == (height, width, 3)


def test_a_set_is_blurred_as_it_is_read(detector: FaceDetector, photo: Picture) -> None:
    blurred = blurred_set(image_set([("a", photo)]), detector)
    np.testing.assert_array_equal(blurred.items[0].read(), blur_faces(photo, detector))
    assert blurred.items[0].label == "a"
