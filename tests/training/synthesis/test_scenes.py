from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from app.vision.reader import FaceVision
from tests.training.synthesis.doubles import PEOPLE, invented_crops, new_vision
from training.synthesis.encoding import contact_sheet, encode_small
from training.synthesis.looks import found_crop
from training.synthesis.scenes import SCENE_SIZES, hair_of, paint_scene

MAX_BYTES = 25_600


@pytest.fixture(scope="module")
def vision() -> FaceVision:
    return new_vision()


def test_a_painted_face_is_found_again_as_it_was(vision: FaceVision) -> None:
    """The detector aligns anew, so that pixels move; it must still be this face and no other."""
    face, *others = (invented_crops(vision, person)[0] for person in (1, 2, 3, 4))
    found = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        scene = paint_scene(face, hair_of(face[None]), rng)
        assert (scene.shape[1], scene.shape[0]) in SCENE_SIZES
        crop = found_crop(scene, vision, 100)
        if crop is not None:
            found.append(crop)
    assert len(found) >= 7
    middle = np.s_[40:110, 36:92]

    def likeness(one: np.ndarray, other: np.ndarray) -> float:
        flat = [picture[middle].mean(axis=2).ravel() for picture in (one, other)]
        return float(np.corrcoef(*flat)[0, 1])

    for crop in found:
        assert likeness(face, crop) > 0.7
        assert likeness(face, crop) > max(likeness(other, crop) for other in others)


def test_scenes_follow_from_their_seed(vision: FaceVision) -> None:
    face = invented_crops(vision, 2)[0]

    def scene(seed: int) -> bytes:
        rng = np.random.default_rng(seed)
        return paint_scene(face, hair_of(face[None]), rng).tobytes()

    assert scene(5) == scene(5)
    assert scene(5) != scene(6)


def test_a_small_file_is_small_or_not_written() -> None:
    plain = np.full((480, 640, 3), 120, np.uint8)
    content = encode_small(plain, 20_000)
    assert content is not None
    assert len(content) <= 20_000
    noise = np.random.default_rng(0).integers(0, 255, (480, 640, 3)).astype(np.uint8)
    assert encode_small(noise, 20_000) is None


def test_a_contact_sheet_shows_every_picture() -> None:
    red, wide = np.full((9, 9, 3), (255, 0, 0), np.uint8), np.zeros((30, 90, 3), np.uint8)
    sheet = contact_sheet([[red, wide], [red]], side=30)
    assert sheet.size == (60, 60)
    assert sheet.getpixel((4, 34)) == (255, 0, 0)


def test_the_committed_photos_are_small_jpegs_of_scene_size() -> None:
    photos = sorted(PEOPLE.glob("person-*/*.jpg"))
    assert len(photos) == 96
    for photo in photos:
        content = photo.read_bytes()
        assert len(content) <= MAX_BYTES
        with Image.open(BytesIO(content)) as image:
            assert image.format == "JPEG"
            assert image.size in SCENE_SIZES
            assert not image.getexif()
    assert "Nobody here exists" in (PEOPLE / "README.md").read_text()
