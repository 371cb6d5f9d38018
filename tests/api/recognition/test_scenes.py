from __future__ import annotations

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from tests.api.conftest import MAX_UPLOAD_BYTES
from tests.api.requests import enroll, enroll_team, text
from tests.services.conftest import House, open_house  # noqa: F401  a fixture
from tests.services.fakes import photo

PATHS = ["/v1/verify", "/v1/identify", "/v1/employees/ann/verify"]


def send(client: TestClient, path: str, *frames: bytes, **fields: str) -> Response:
    files = [("frames", ("frame.jpg", frame)) for frame in frames]
    return client.post(path, files=files, data=fields)


@pytest.mark.parametrize("path", PATHS)
def test_a_burst_is_one_question_in_either_kind_of_body(client: TestClient, path: str) -> None:
    enroll_team(client)
    frames = [photo("ann", 5), photo("ann", 6, size_pixels=3), photo("ann", 7)]
    by_form = send(client, path, *frames)
    by_json = client.post(path, json={"frames": [text(frame) for frame in frames]})
    assert by_form.status_code == by_json.status_code == 200
    assert by_form.json() | {"request_id": ""} == by_json.json() | {"request_id": ""}
    assert by_form.json()["decision"] in {"known", "match"}
    assert by_form.json()["liveness"] == "not_checked"
    used, left_out, _ = by_form.json()["frames"]
    assert used == {"position": 0, "used": True, "code": None, "hint": None}
    assert left_out["code"] == "face_too_small"
    assert "step closer" in left_out["hint"]


@pytest.mark.parametrize("path", PATHS)
def test_a_photo_is_a_burst_of_one(client: TestClient, path: str) -> None:
    enroll_team(client)
    as_photo = client.post(path, files={"photo": ("photo.jpg", photo("ann", 5))}).json()
    as_frame = send(client, path, photo("ann", 5)).json()
    assert as_photo | {"request_id": ""} == as_frame | {"request_id": ""}
    assert [frame["used"] for frame in as_photo["frames"]] == [True]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"photo": text(photo("ann")), "frames": [text(photo("ann"))]},
        {"frames": []},
        {"frames": [text(photo("ann"))] * 6},
        {"frames": text(photo("ann"))},
        {"photo": [text(photo("ann"))]},
        {"frames": [text(photo("ann"))], "challenge_id": 7},
    ],
)
def test_a_scene_is_a_photo_or_one_to_five_frames(
    client: TestClient, body: dict[str, object]
) -> None:
    answer = client.post("/v1/verify", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


def test_a_form_is_held_to_the_same(client: TestClient) -> None:
    both = [("photo", ("a.jpg", photo("ann"))), ("frames", ("b.jpg", photo("ann")))]
    answers = [
        client.post("/v1/verify", files=both),
        send(client, "/v1/verify", *[photo("ann", shot) for shot in range(6)]),
        client.post("/v1/verify", data={"challenge_id": "x"}, files=[("other", ("a", b"x"))]),
    ]
    assert [(a.status_code, a.json()["code"]) for a in answers] == [(422, "invalid_request")] * 3


def test_a_frame_that_cannot_be_taken_does_not_cost_the_others(client: TestClient) -> None:
    enroll_team(client)
    frames = [b"x" * (MAX_UPLOAD_BYTES + 1), photo("ann", 5)]
    by_form = send(client, "/v1/verify", *frames).json()
    body = {"frames": [text(frames[0]), "*** no base64 ***", text(frames[1])]}
    by_json = client.post("/v1/verify", json=body).json()
    assert [frame["code"] for frame in by_form["frames"]] == ["photo_too_many_bytes", None]
    assert [frame["code"] for frame in by_json["frames"]] == [
        "photo_too_many_bytes",
        "photo_undecodable",
        None,
    ]
    assert by_form["decision"] == by_json["decision"] == "known"


def test_faults_of_a_burst_have_codes(client: TestClient) -> None:
    enroll_team(client)
    mixed = send(client, "/v1/verify", photo("ann", 5), photo("bob", 5))
    assert (mixed.status_code, mixed.json()["code"]) == (422, "burst_of_several_people")
    dark = send(client, "/v1/verify", photo("ann", 5, faces=0), photo("ann", 6, clipped_shadows=1))
    assert (dark.status_code, dark.json()["code"]) == (422, "face_too_dark")


@pytest.mark.parametrize("word", ["None", "null", "", "undefined", "NULL", "  "])
def test_a_challenge_that_is_no_challenge_is_absent(client: TestClient, word: str) -> None:
    enroll(client, "ann", photo("ann", 1))
    for path in ("/v1/verify", "/v1/identify", "/v1/employees/ann/verify"):
        by_form = client.post(path, data={"challenge_id": word}, files={"photo": photo("ann", 5)})
        body = {"challenge_id": word, "photo": text(photo("ann", 5))}
        by_json = client.post(path, json=body)
        assert (by_form.status_code, by_json.status_code) == (200, 200)
