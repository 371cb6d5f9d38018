"""Photos as cameras, phones and enemies send them, over real HTTP."""

from __future__ import annotations

import base64
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import httpx2
import numpy as np
import pytest
from PIL import Image

from tests.e2e.test_door import PEOPLE, enroll, verify
from tests.vision.hostile_files import (
    behind_start,
    chunk,
    deep_png,
    more_scans,
    multi_picture_header,
    png,
)
from tests.vision.pictures import encoded

PHOTO = PEOPLE[0].photos[-1].read_bytes()
HEIC = Path(__file__).resolve().parents[1] / "fixtures" / "files" / "person-01.heic"


def picture() -> Image.Image:
    with Image.open(BytesIO(PHOTO)) as opened:
        return opened.convert("RGB")


def deep_grey() -> bytes:
    return deep_png(np.asarray(picture().convert("L")).astype(np.uint16) << 4)


def empty_alpha() -> bytes:
    layered = picture().convert("RGBA")
    layered.putalpha(0)
    return encoded(layered, "PNG")


def sideways() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = picture().transpose(Image.Transpose.ROTATE_90)
    return encoded(stored, "JPEG", quality=90, exif=exif.tobytes())


def large_sideways() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 8
    width, height = picture().size
    scaled = picture().resize((6_400, 6_400 * height // width))
    stored = scaled.transpose(Image.Transpose.ROTATE_270)
    return encoded(stored, "JPEG", quality=60, exif=exif.tobytes())


USED: dict[str, Callable[[], bytes]] = {
    "as it is": lambda: PHOTO,
    "without its last two bytes": lambda: PHOTO[:-2],
    "behind a line break": lambda: b"\r\n" + PHOTO,
    "as an MJPEG part": lambda: b"--b\r\nContent-Type: image/jpeg\r\n\r\n" + PHOTO + b"\r\n--b",
    "12 bits in 16": deep_grey,
    "with an empty alpha": empty_alpha,
    "turned by EXIF": sideways,
    "larger than is looked at, turned by EXIF": large_sideways,
    "as AVIF": lambda: encoded(picture(), "AVIF", speed=10),
    "as an MPO": lambda: behind_start(PHOTO, multi_picture_header(len(PHOTO))),
    "in CMYK": lambda: encoded(picture().convert("CMYK"), "JPEG", quality=92),
}


@pytest.mark.parametrize("name", USED)
def test_what_cameras_send_is_recognised(http: httpx2.Client, name: str) -> None:
    enroll(http, PEOPLE[0])
    content = USED[name]()
    answer = verify(http, content)
    assert answer.status_code == 200, answer.text
    assert answer.json()["decision"] == "known"
    assert answer.json()["employee"]["employee_id"] == PEOPLE[0].name
    if name == "larger than is looked at, turned by EXIF":
        box, small = answer.json()["face"]["box"], verify(http, PHOTO).json()["face"]["box"]
        factor = 6_400 / picture().width
        assert box["x"] == pytest.approx(small["x"] * factor, abs=60)
        assert box["width"] == pytest.approx(small["width"] * factor, rel=0.06)


def test_a_heic_of_a_phone_is_recognised(http: httpx2.Client) -> None:
    enroll(http, PEOPLE[0])
    answer = verify(http, HEIC.read_bytes())
    assert answer.json()["decision"] == "known", answer.text


REFUSED: dict[str, tuple[Callable[[], bytes], int, str]] = {
    "cut": (lambda: PHOTO[: len(PHOTO) // 2], 422, "photo_cut"),
    "cut, and ended by a proxy": (
        lambda: PHOTO[: len(PHOTO) // 2] + b"\xff\xd9",
        422,
        "photo_cut",
    ),
    "fill bytes": (
        lambda: behind_start(PHOTO, b"\xff" * 9_000_000),
        422,
        "photo_undecodable",
    ),
    "empty comments": (
        lambda: behind_start(PHOTO, b"\xff\xfe\0\2" * 2_000_000),
        422,
        "photo_undecodable",
    ),
    "empty chunks": (
        lambda: png(8, 8, 8, 2, bytes(200), chunk(b"abCd", b"") * 700_000),
        422,
        "photo_undecodable",
    ),
    "one long row": (
        lambda: png(40_000_000, 1, 16, 6, b""),
        413,
        "photo_too_many_pixels",
    ),
    "many scans behind an MPO header": (
        lambda: behind_start(
            more_scans(encoded(picture(), "JPEG", progressive=True), 160),
            multi_picture_header(99),
        ),
        422,
        "photo_undecodable",
    ),
    "a GIF": (lambda: encoded(picture(), "GIF"), 415, "photo_type_unsupported"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_costs_too_much_or_lacks_a_part_is_refused_with_a_word_that_helps(
    http: httpx2.Client, name: str
) -> None:
    make, status, code = REFUSED[name]
    answer = verify(http, make())
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert ": " in answer.json()["hint"]


def test_a_picture_may_be_the_whole_body(http: httpx2.Client) -> None:
    enroll(http, PEOPLE[0])
    for path in ("/v1/verify", "/v1/identify", f"/v1/employees/{PEOPLE[0].name}/verify"):
        answer = http.post(path, content=PHOTO, headers={"content-type": "image/jpeg"})
        assert answer.json()["decision"] in ("known", "match"), answer.text
    url_safe = base64.urlsafe_b64encode(PHOTO).decode().rstrip("=")
    assert http.post("/v1/verify", json={"photo": url_safe}).json()["decision"] == "known"
