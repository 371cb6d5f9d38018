"""The main job over real HTTP, with real pictures of people who do not exist."""

from __future__ import annotations

import base64
import math
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import httpx2
import numpy as np
import pytest

from training.data.invented_people import (
    ENROLLED_COUNT,
    ENROLLED_PHOTOS,
    InventedPerson,
    invented_people,
)
from training.demo.service import ServiceDidNotStartError, running_service

PEOPLE = invented_people()


def enroll(
    http: httpx2.Client, person: InventedPerson, photos: int = ENROLLED_PHOTOS
) -> httpx2.Response:
    return http.post(
        "/v1/enroll",
        data={"employee_id": person.name, "full_name": f"Invented {person.name}"},
        files=[("photos", p.read_bytes()) for p in person.photos[:photos]],
    )


def verify(http: httpx2.Client, photo: bytes) -> httpx2.Response:
    return http.post("/v1/verify", files={"photo": photo})


def test_enrolled_people_are_known_and_strangers_are_not(http: httpx2.Client) -> None:
    for person in PEOPLE[:ENROLLED_COUNT]:
        answer = enroll(http, person)
        assert (answer.status_code, answer.json()["rejected_count"]) == (201, 0)
    for person in PEOPLE[:ENROLLED_COUNT]:
        for photo in person.photos[ENROLLED_PHOTOS:]:
            body = verify(http, photo.read_bytes()).json()
            assert body["decision"] == "known", photo
            assert body["employee"]["employee_id"] == person.name
    for person in PEOPLE[ENROLLED_COUNT:]:
        for photo in person.photos:
            assert verify(http, photo.read_bytes()).json()["decision"] == "unknown", photo


def test_identify_puts_the_person_first_and_sums_to_one(http: httpx2.Client) -> None:
    for person in PEOPLE[:6]:
        enroll(http, person)
    photo = base64.b64encode(PEOPLE[3].photos[-1].read_bytes()).decode()
    body = http.post("/v1/identify", json={"photo": photo}).json()
    assert len(body["candidates"]) == 5
    assert body["candidates"][0]["employee"]["employee_id"] == PEOPLE[3].name
    assert body["candidates"][0]["probability"] > 0.5
    total = sum(candidate["probability"] for candidate in body["candidates"])
    assert math.isclose(total + body["others_probability"] + body["unknown_probability"], 1)


def test_a_claim_and_a_comparison(http: httpx2.Client) -> None:
    enroll(http, PEOPLE[0])
    url = f"/v1/employees/{PEOPLE[0].name}/verify"
    right = http.post(url, files={"photo": PEOPLE[0].photos[-1].read_bytes()}).json()
    wrong = http.post(url, files={"photo": PEOPLE[1].photos[-1].read_bytes()}).json()
    assert (right["decision"], wrong["decision"]) == ("match", "no_match")
    pair = {"first": PEOPLE[2].photos[0].read_bytes(), "second": PEOPLE[2].photos[1].read_bytes()}
    assert http.post("/v1/compare", files=pair).json()["decision"] == "same"


@pytest.mark.parametrize("suffix", [".png", ".webp", ".bmp", ".jpg"])
def test_every_format_is_taken(http: httpx2.Client, suffix: str) -> None:
    enroll(http, PEOPLE[0])
    picture = cv2.imread(str(PEOPLE[0].photos[-1]))
    assert picture is not None
    _, encoded = cv2.imencode(suffix, picture)
    assert verify(http, encoded.tobytes()).json()["decision"] == "known"


def test_a_photo_sent_again_is_known_however_it_is_encoded(http: httpx2.Client) -> None:
    person = PEOPLE[0]
    assert enroll(http, person).json()["enrolled_count"] == ENROLLED_PHOTOS
    picture = cv2.imread(str(person.photos[0]))
    assert picture is not None
    half = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    again = [
        person.photos[0].read_bytes(),
        cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 75])[1].tobytes(),
        cv2.imencode(".png", picture)[1].tobytes(),
        cv2.imencode(".jpg", half, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes(),
        person.photos[-1].read_bytes(),
    ]
    answer = http.post(
        "/v1/enroll",
        data={"employee_id": person.name, "full_name": f"Invented {person.name}"},
        files=[("photos", content) for content in again],
    ).json()
    assert [one["status"] for one in answer["photos"]] == ["already_enrolled"] * 4 + ["enrolled"]
    assert len({one["photo_id"] for one in answer["photos"][:4]}) == 1


def test_bad_photos_are_typed_problems(http: httpx2.Client) -> None:
    _, blank = cv2.imencode(".png", np.full((400, 400, 3), 200, np.uint8))
    photo = PEOPLE[0].photos[0].read_bytes()
    decoded = cv2.imdecode(np.frombuffer(photo, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    small = cv2.resize(decoded, (90, 60))
    cases = {
        "no_face": blank.tobytes(),
        "photo_type_unsupported": b"%PDF-1.7 not a photo",
        "photo_cut": photo[: len(photo) // 3],
        "face_too_small": cv2.imencode(".png", small)[1].tobytes(),
    }
    for code, content in cases.items():
        answer = verify(http, content)
        assert answer.headers["content-type"] == "application/problem+json"
        found = answer.json()["code"]
        assert found == code or (code == "face_too_small" and found == "no_face")
    assert verify(http, photo).status_code == 200


def test_two_faces_are_refused_for_enrollment_and_counted_for_verify(http: httpx2.Client) -> None:
    enroll(http, PEOPLE[0])
    sides = [cv2.imread(str(PEOPLE[n].photos[-1])) for n in (0, 1)]
    height = 480
    scaled = [
        cv2.resize(s, (s.shape[1] * height // s.shape[0], height)) for s in sides if s is not None
    ]
    crowd = cv2.imencode(".jpg", np.hstack(scaled))[1].tobytes()
    assert verify(http, crowd).json()["face"]["faces_found"] == 2
    refused = http.post(
        "/v1/enroll", data={"employee_id": "x", "full_name": "X"}, files=[("photos", crowd)]
    )
    assert refused.status_code == 422
    assert refused.json()["photos"][0]["code"] == "several_faces"
    assert http.get("/v1/employees/x").status_code == 404


def test_many_at_once_are_answered_right_or_told_to_come_back(http: httpx2.Client) -> None:
    for person in PEOPLE[:4]:
        enroll(http, person)

    def ask(number: int) -> tuple[int, bool]:
        person = PEOPLE[number % 8]
        answer = verify(http, person.photos[-1].read_bytes())
        if answer.status_code == 503:
            return 503, int(answer.headers["retry-after"]) > 0
        known = answer.json()["decision"] == "known"
        return answer.status_code, known == (number % 8 < 4)

    with ThreadPoolExecutor(16) as pool:
        results = list(pool.map(ask, range(64)))
    assert all(right for _, right in results)
    assert {status for status, _ in results} <= {200, 503}


def test_a_restart_forgets_nothing_and_a_deletion_leaves_nothing(tmp_path: Path) -> None:
    person, other = PEOPLE[0], PEOPLE[1]
    with running_service(tmp_path) as first, httpx2.Client(base_url=first.url, timeout=60) as http:
        enroll(http, person)
        enroll(http, other)
    with running_service(tmp_path) as again, httpx2.Client(base_url=again.url, timeout=60) as http:
        assert verify(http, person.photos[-1].read_bytes()).json()["decision"] == "known"
        assert http.delete(f"/v1/employees/{person.name}").status_code == 204
        assert verify(http, person.photos[-1].read_bytes()).json()["decision"] == "unknown"
        assert http.get("/readyz").json()["employees"] == 1
    with sqlite3.connect(tmp_path / "facegate.sqlite3") as database:
        assert database.execute("select count(*) from photos").fetchone() == (ENROLLED_PHOTOS,)
        assert database.execute("select count(*) from centroids").fetchone() == (1,)


@pytest.mark.slow
def test_settings_reach_what_is_answered_over_http(tmp_path: Path) -> None:
    settings = {
        "FACEGATE_MIN_FACE_PIXELS": "2000",
        "FACEGATE_ROOT_PATH": "/facegate",
        "FACEGATE_ALLOWED_ORIGINS": "https://doors.example",
        "FACEGATE_METRICS": "off",
    }
    stranger = PEOPLE[-1].photos[0].read_bytes()
    page = {"origin": "https://doors.example", "sec-fetch-site": "cross-site"}
    with (
        running_service(tmp_path, settings) as running,
        httpx2.Client(base_url=running.url, timeout=60) as http,
    ):
        answer = http.post("/facegate/v1/verify/", files={"photo": stranger}, headers=page)
        assert (answer.json()["decision"], answer.json()["next_step"]) == (
            "unknown",
            "retry_closer",
        )
        assert answer.headers["access-control-allow-origin"] == "https://doors.example"
        assert answer.headers["cache-control"] == "no-store"
        assert http.get("/docs").status_code == 200
        assert http.get("/metrics").status_code == 404
        for path in ("/readyz", "/facegate/healthz"):
            head = http.head(path)
            assert (head.status_code, head.content) == (200, b"")
        for path in ("/v1/nowhere", "/facegate/nowhere"):
            lost = http.post(path, content=b"x" * 5_000_000)
            assert (lost.status_code, lost.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"FACEGATE_MODEL_DIR": "/nonexistent"}, "manifest.json"),
        ({"FACEGATE_HOST": "0.0.0.0"}, "FACEGATE_API_KEY"),  # noqa: S104
        ({"FACEGATE_API_KEY": "short"}, "16 characters"),
        ({"FACEGATE_DETECTOR_PATH": "/nonexistent.onnx"}, "nonexistent.onnx"),
    ],
)
def test_a_service_that_cannot_work_says_why_and_ends(
    tmp_path: Path, settings: dict[str, str], reason: str
) -> None:
    with (
        pytest.raises(ServiceDidNotStartError, match=reason),
        running_service(tmp_path, settings),
    ):
        pass
