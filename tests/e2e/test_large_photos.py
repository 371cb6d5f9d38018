"""A photo that is reduced before it is looked at is answered in its own pixels, over real HTTP."""

from __future__ import annotations

import io

import httpx2
import pytest
from PIL import Image

from app.vision.decode import DecodeLimits
from training.data.invented_people import invented_people

ORIENTATION_TAG = 0x0112
UPRIGHT, LIES_ON_ITS_SIDE = 1, 6
PERSON = invented_people()[0]


def scene() -> Image.Image:
    """Return a wide picture, 1280 x 320, with a face well off its middle."""
    photo = Image.open(PERSON.photos[0]).convert("RGB")
    canvas = Image.new("RGB", (1280, 320), (120, 120, 120))
    canvas.paste(photo.resize((427, 320), Image.Resampling.LANCZOS), (800, 0))
    return canvas


def encoded(picture: Image.Image, orientation: int = UPRIGHT) -> bytes:
    """Return a JPEG that shows ``picture`` upright once its orientation is applied."""
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = orientation
    if orientation == LIES_ON_ITS_SIDE:
        picture = picture.transpose(Image.Transpose.ROTATE_90)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=92, exif=exif)
    return buffer.getvalue()


def face_in(http: httpx2.Client, photo: bytes) -> dict[str, dict[str, float]]:
    answer = http.post("/v1/verify", files={"photo": photo})
    assert answer.status_code == 200, answer.text
    face: dict[str, dict[str, float]] = answer.json()["face"]
    return face


@pytest.mark.parametrize("orientation", [UPRIGHT, LIES_ON_ITS_SIDE])
@pytest.mark.parametrize("factor", [4, 6])  # 6: the JPEG decoder skips detail by itself
def test_a_face_in_a_photo_above_the_limit_is_told_in_the_photos_own_pixels(
    http: httpx2.Client, factor: int, orientation: int
) -> None:
    small = scene()
    large = small.resize((1280 * factor, 320 * factor), Image.Resampling.BICUBIC)
    assert max(large.size) > DecodeLimits().max_side
    expected = face_in(http, encoded(small))
    found = face_in(http, encoded(large, orientation))
    near = 0.04 * factor * expected["box"]["width"]
    for side, value in expected["box"].items():
        assert found["box"][side] == pytest.approx(factor * value, abs=near), side
    for mine, theirs in zip(found["landmarks"], expected["landmarks"], strict=True):
        assert mine == pytest.approx([factor * value for value in theirs], abs=near)
    size = factor * expected["quality"]["size_pixels"]
    assert found["quality"]["size_pixels"] == pytest.approx(size, rel=0.06)


def test_a_large_photo_is_enrolled_with_its_own_size_and_knows_the_person(
    http: httpx2.Client,
) -> None:
    large = scene().resize((5120, 1280), Image.Resampling.BICUBIC)
    answer = http.post(
        "/v1/enroll",
        data={"employee_id": PERSON.name, "full_name": PERSON.name},
        files=[("photos", encoded(large))],
    )
    assert answer.status_code == 201, answer.text
    told = answer.json()["photos"][0]["face"]["quality"]["size_pixels"]
    (kept,) = http.get(f"/v1/employees/{PERSON.name}").json()["photos"]
    assert kept["quality"]["size_pixels"] == told
    assert told == pytest.approx(
        4 * face_in(http, encoded(scene()))["quality"]["size_pixels"], rel=0.06
    )
    seen = http.post("/v1/verify", files={"photo": PERSON.photos[1].read_bytes()}).json()
    assert seen["decision"] == "known"
