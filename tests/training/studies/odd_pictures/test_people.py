"""Who plays which part, from made data."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from app.vision.detector import FaceDetector
from app.vision.reader import FaceVision
from app.vision.weights import read_detector_weights
from tests.training.made_data import picture, write_tar
from training.data.invented_people import invented_people
from training.data.odd_pictures.portrait import on_canvas
from training.foundation.errors import DataError
from training.studies.odd_pictures.people import LFW, cast_from_data, cast_of_invented

GROUP = "north female"


@pytest.fixture(scope="module")
def vision() -> FaceVision:
    return FaceVision(FaceDetector(read_detector_weights()))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Strangers of two groups, four LFW people of one photo and one of two, masks with a double."""
    root = tmp_path_factory.mktemp("data")
    write_tar(root / "strangers.tar", {f"strangers/{n}.png": picture(n) for n in range(20)})
    rows = [f"strangers/{n}.png,web,{'male' if n % 4 == 3 else 'female'},north," for n in range(20)]
    (root / "strangers.csv").write_text("file,source,gender,group,age\n" + "\n".join(rows) + "\n")
    photos = {
        f"{person.name}/{person.name}_0001.jpg": person.photos[0].read_bytes()
        for person in invented_people()[:4]
    }
    two = invented_people()[5]
    photos |= {f"two/two_{n}.jpg": two.photos[n].read_bytes() for n in (0, 1)}
    photos["nobody/nobody_0001.png"] = picture(77)  # shows no face
    write_tar(root / "lfw-photos.tar", photos)
    masks = {f"masks/{n}.png": picture(500 + n) for n in range(5)}
    mirrored = cv2.imdecode(np.frombuffer(picture(500), np.uint8), cv2.IMREAD_COLOR)
    assert mirrored is not None
    masks["masks/again.png"] = cv2.imencode(".png", mirrored[:, ::-1])[1].tobytes()
    write_tar(root / "masks.tar", masks)
    return root


def test_nobody_plays_two_parts(data: Path, vision: FaceVision) -> None:
    cast = cast_from_data(data, GROUP, people=6, staff=5, vision=vision)
    assert cast.worst == GROUP
    assert [len(group) for group in cast.odd.values()] == [4, 2]
    assert (len(cast.staff), len(cast.visitors), len(cast.employees)) == (5, 3, 1)
    photos = [person.photo for group in cast.odd.values() for person in group]
    photos += [*cast.staff, *cast.visitors, *(one for pair in cast.employees for one in pair)]
    assert len(set(photos)) == len(photos)
    again = cast_from_data(data, GROUP, people=6, staff=5, vision=vision)
    assert [p.name for p in again.odd[GROUP]] == [p.name for p in cast.odd[GROUP]]
    assert again.staff == cast.staff
    assert GROUP in cast.sources


def test_people_whose_upright_photo_shows_no_face_are_left_out(
    data: Path, vision: FaceVision
) -> None:
    cast = cast_from_data(data, GROUP, people=15, staff=2, vision=vision)
    assert len(cast.odd[LFW]) == 4


def test_too_few_people_are_an_error(data: Path, vision: FaceVision) -> None:
    with pytest.raises(DataError, match="15 are at hand"):
        cast_from_data(data, GROUP, people=6, staff=30, vision=vision)


def test_a_mask_that_is_there_twice_is_shown_once(data: Path, vision: FaceVision) -> None:
    cast = cast_from_data(data, GROUP, people=6, staff=5, vision=vision)
    assert len(cast.masked) == 5


def test_a_crop_on_a_canvas_has_its_face_where_the_landmarks_say() -> None:
    crop = np.full((128, 128, 3), 90, np.uint8)
    for x, y in ((46, 60), (81, 59)):  # the eyes of a stored crop
        cv2.circle(crop, (x, y), 3, (255, 255, 255), -1)
    portrait = on_canvas(crop)
    assert portrait.picture.shape == (320, 320, 3)
    for x, y in portrait.landmarks[:2]:
        assert portrait.picture[round(y), round(x)].min() > 200
    assert portrait.pixel == pytest.approx(1.5)


def test_invented_people_need_no_data(vision: FaceVision) -> None:
    cast = cast_of_invented(4, vision)
    assert [len(group) for group in cast.odd.values()] == [4]
    assert not {p.photo for p in cast.odd[cast.worst]} & set(cast.staff)
    assert not set(cast.staff) & set(cast.visitors)
