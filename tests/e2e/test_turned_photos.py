"""Photos as phones and fixed cameras deliver them, without a word of how they were held."""

from __future__ import annotations

import cv2
import httpx2
import numpy as np
import pytest

from tests.e2e.test_door import PEOPLE, enroll, verify

TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


def turned(photo: bytes, degrees: int) -> bytes:
    picture = cv2.imdecode(np.frombuffer(photo, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return cv2.imencode(".jpg", cv2.rotate(picture, TURNS[degrees]))[1].tobytes()


def negative(photo: bytes) -> bytes:
    picture = cv2.imdecode(np.frombuffer(photo, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return cv2.imencode(".jpg", 255 - picture)[1].tobytes()


@pytest.mark.parametrize("degrees", TURNS)
def test_a_turned_photo_is_used_upright(http: httpx2.Client, degrees: int) -> None:
    anna, *others = PEOPLE[:5]
    sent = [("photos", turned(p.read_bytes(), degrees)) for p in anna.photos[:2]]
    data = {"employee_id": "anna", "full_name": "Anna"}
    body = http.post("/v1/enroll", data=data, files=sent).json()
    assert [one["face"]["turned_degrees"] for one in body["photos"]] == [degrees] * 2
    assert all(one["face"]["quality"]["recognisability"] > 0.7 for one in body["photos"])
    upright = verify(http, anna.photos[-1].read_bytes()).json()
    assert (upright["decision"], upright["face"]["turned_degrees"]) == ("known", 0)
    same = verify(http, turned(anna.photos[-1].read_bytes(), degrees)).json()
    assert (same["decision"], same["face"]["turned_degrees"]) == ("known", degrees)
    for other in others:
        photo = turned(other.photos[0].read_bytes(), degrees)
        assert verify(http, photo).json()["decision"] == "unknown"


def test_a_picture_that_cannot_be_read_is_refused_with_its_reason(http: httpx2.Client) -> None:
    enroll(http, PEOPLE[0])
    codes = []
    for person in PEOPLE[:8]:
        answer = verify(http, negative(person.photos[0].read_bytes()))
        if answer.status_code == 200:  # read well enough to be nobody
            assert answer.json()["decision"] == "unknown"
            continue
        assert answer.status_code == 422
        codes.append(answer.json()["code"])
        if codes[-1] == "face_unrecognisable":
            assert "is needed" in answer.json()["hint"]
    assert len(codes) >= 7
    assert codes.count("face_unrecognisable") >= 4
    sent = {"employee_id": "x", "full_name": "X"}
    photo = {"photos": negative(PEOPLE[1].photos[0].read_bytes())}
    refused = http.post("/v1/enroll", data=sent, files=photo)
    assert refused.status_code == 422
    assert refused.json()["code"] == "no_usable_photo"
    assert http.get("/v1/employees/x").status_code == 404
