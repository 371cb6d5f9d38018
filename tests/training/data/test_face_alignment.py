"""The fit "align": the service's own crop of the largest face, at any size, or nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image

from app.domain.alignment import ARCFACE_TEMPLATE
from app.domain.faces import Box, Detection, Picture
from app.vision.detector import FaceDetector
from app.vision.reader import FaceVision
from app.vision.weights import read_detector_weights
from tests.training.data.made_images import image_set, pixels
from training.data.decoding import read_picture
from training.data.face_alignment import cut_face, service_detector
from training.data.images import UnreadableImageError
from training.data.learning_parts import load_parts
from training.data.readers.folders import read_folders
from training.data.transform import fit_picture, fit_tensor, load_images
from training.foundation.errors import DataError
from training.recipes.metric_recipe import MetricRecipe
from training.recipes.transform_recipe import TransformRecipe

ROOT = Path(__file__).parents[3]
PEOPLE = ROOT / "tests" / "fixtures" / "people"
PHOTOS = [PEOPLE / f"person-{person:02d}" / "1.jpg" for person in (1, 4, 7)]
ALIGN = TransformRecipe(fit="align")


@pytest.fixture(scope="module")
def vision() -> FaceVision:
    return FaceVision(FaceDetector(read_detector_weights()))


def photo(path: Path) -> Picture:
    return read_picture(path, path.name)


@pytest.mark.parametrize("path", PHOTOS, ids=lambda path: path.parent.name)
def test_the_crop_is_the_services_own(vision: FaceVision, path: Path) -> None:
    served = vision.decode(path.read_bytes())
    crop = vision.crop(served, vision.detect(served)[0])
    fitted = fit_picture(photo(path), ALIGN)
    np.testing.assert_array_equal(fitted, crop.pixels.transpose(1, 2, 0))
    assert torch.equal(fit_tensor(photo(path), ALIGN), torch.from_numpy(crop.pixels))


@pytest.mark.parametrize("size", [48, 112, 160, 224])
def test_another_size_is_the_same_crop_scaled(size: int) -> None:
    picture = photo(PHOTOS[0])
    large = fit_picture(picture, TransformRecipe(size=448, fit="align"))
    expected = np.asarray(Image.fromarray(large).resize((size, size), Image.Resampling.BOX))
    fitted = fit_picture(picture, TransformRecipe(size=size, fit="align"))
    assert fitted.shape == (size, size, 3)
    assert np.abs(fitted.astype(int) - expected).mean() < 3
    if size < 112:
        return
    shifted = np.roll(expected, 2, axis=1)
    assert (
        np.abs(fitted.astype(int) - shifted).mean()
        > 2 * np.abs(fitted.astype(int) - expected).mean()
    )


def test_the_landmarks_lie_on_the_scaled_template(vision: FaceVision) -> None:
    """Found again in the crop, they are where the template has them, as far as faces are alike."""
    size = 320
    found = vision.detect(fit_picture(photo(PHOTOS[1]), TransformRecipe(size=size, fit="align")))
    template = (ARCFACE_TEMPLATE + 0.5) * size / 112 - 0.5
    assert np.abs(np.asarray(found[0].landmarks) - template).mean() < 0.025 * size


def test_a_picture_of_the_right_size_is_aligned_all_the_same() -> None:
    picture = photo(PHOTOS[0])
    side = min(picture.shape[:2])
    square = np.ascontiguousarray(picture[:side, :side])
    fitted = fit_picture(square, TransformRecipe(size=side, fit="align"))
    assert fitted.shape == square.shape
    assert np.abs(fitted.astype(int) - square).mean() > 10


def test_the_largest_face_is_taken(vision: FaceVision) -> None:
    picture = photo(PHOTOS[0])
    half = np.asarray(Image.fromarray(photo(PHOTOS[1])).reduce(3))
    both = np.full((picture.shape[0], picture.shape[1] + half.shape[1], 3), 127, np.uint8)
    both[: half.shape[0], : half.shape[1]] = half
    both[:, half.shape[1] :] = picture
    assert len(vision.detect(both)) == 2
    apart = fit_picture(both, ALIGN).astype(int) - fit_picture(picture, ALIGN)
    assert np.abs(apart).mean() < 8


class Finder:
    """Finds one face with its landmarks at given places, or none."""

    def __init__(self, landmarks: npt.NDArray[np.float64] | None) -> None:
        self.landmarks = landmarks

    def detect(self, picture: Picture) -> list[Detection]:
        if self.landmarks is None:
            return []
        height, width = picture.shape[:2]
        points = tuple((float(x), float(y)) for x, y in self.landmarks)
        return [Detection(Box(0, 0, width, height), points, 0.9)]


def test_landmarks_on_the_template_leave_the_picture_as_it_is() -> None:
    picture = pixels(3, 112, 112)
    np.testing.assert_array_equal(cut_face(picture, 112, Finder(ARCFACE_TEMPLATE)), picture)


@pytest.mark.parametrize(
    ("landmarks", "reason"),
    [(None, "no face was found"), (np.full((5, 2), 7.0), "cannot be aligned: .* coincide")],
)
def test_a_face_that_cannot_be_cut_out_is_unreadable(
    landmarks: npt.NDArray[np.float64] | None, reason: str
) -> None:
    with pytest.raises(UnreadableImageError, match=reason):
        cut_face(pixels(3, 40, 30), 112, Finder(landmarks))


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 500), (500, 1), (20, 20), (300, 400)])
def test_pictures_without_a_face_are_unreadable_whatever_their_shape(
    height: int, width: int
) -> None:
    with pytest.raises(UnreadableImageError, match="no face was found"):
        fit_picture(np.full((height, width), 90, np.uint8), ALIGN)


ASKED_AT_ONCE = """
import threading
from training.data.face_alignment import service_detector

start, made = threading.Barrier(8), []

def ask():
    start.wait()
    made.append(service_detector())

threads = [threading.Thread(target=ask) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(made), len(set(map(id, made))))
"""


@pytest.mark.slow
def test_threads_that_ask_at_once_get_one_detector() -> None:
    """In a process of its own, for there it is not made yet."""
    words = [sys.executable, "-c", ASKED_AT_ONCE]
    said = subprocess.run(words, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert said.split() == ["8", "1"]
    assert service_detector() is service_detector()


def test_threads_load_the_same_as_one() -> None:
    people = read_folders(PEOPLE)
    few = image_set([(i.label, i.read()) for i in people.items[:12]] + [("nobody", pixels(1))])
    one, many = (load_images(few, ALIGN, threads=count) for count in (1, 6))
    assert torch.equal(one.images, many.images)
    assert one.images.shape == (12, 3, 112, 112)
    assert one.skipped == many.skipped == (("12", "no face was found"),)


def write_people(root: Path) -> Path:
    """Write three people with three photos each; of one a photo shows no face, of one none does."""
    for person in (1, 4, 7):
        folder = root / f"person-{person}"
        folder.mkdir(parents=True)
        for shot in (1, 2, 3):
            content = (PEOPLE / f"person-{person:02d}" / f"{shot}.jpg").read_bytes()
            (folder / f"{shot}.jpg").write_bytes(content)
    Image.fromarray(pixels(2, 90, 90)).save(root / "person-4" / "2.jpg")
    (root / "person-0").mkdir()
    Image.fromarray(pixels(5, 90, 90)).save(root / "person-0" / "1.jpg")
    return root


def test_a_recipe_may_align_and_lists_whom_it_did_not_find(tmp_path: Path) -> None:
    document = {
        "name": "aligned",
        "steps": 1,
        "data": {
            "sources": [{"kind": "folders", "path": str(write_people(tmp_path / "people"))}],
            "validation": 0.0,
            "test": 0.4,
            "transform": {"size": 64, "fit": "align"},
        },
    }
    parts = load_parts(MetricRecipe.model_validate(document))
    assert parts.skipped == (
        ("person-0/1.jpg", "no face was found"),
        ("person-4/2.jpg", "no face was found"),
    )
    assert len(parts.train) + len(parts.test) == 8
    assert {*parts.train.label_names, *parts.test.label_names} == {
        "person-1",
        "person-4",
        "person-7",
    }
    assert parts.train.images.shape[1:] == (3, 64, 64)


def test_a_set_without_any_face_is_an_error() -> None:
    with pytest.raises(DataError, match="no image that can be read; 0: no face was found"):
        load_images(image_set([("a", pixels(1)), ("a", pixels(2))]), ALIGN)
