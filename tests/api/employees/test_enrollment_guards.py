"""What a caller sees of the guards: codes, candidates, hints, look-alikes."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from tests.api.requests import ask, enroll, text
from tests.services.fakes import MANIFEST, photo


def test_a_photo_of_somebody_else_is_named_with_a_hint(client: TestClient) -> None:
    answer = enroll(client, "ann", photo("ann", 1), photo("bob", 1), photo("ann", 2))
    assert answer.status_code == 201
    photos = answer.json()["photos"]
    assert [p["code"] for p in photos] == [None, "photo_of_somebody_else", None]
    assert photos[1]["hint"].startswith(photos[1]["message"])
    assert photos[0]["hint"] is None
    refused = enroll(client, "eve", photo("ann", 1), photo("bob", 1))
    body = refused.json()
    assert (refused.status_code, body["code"]) == (422, "no_usable_photo")
    assert [p["code"] for p in body["photos"]] == ["photos_disagree"] * 2
    assert all("three or more" in p["hint"] for p in body["photos"])


def test_a_face_under_another_id_is_a_conflict_with_candidates(client: TestClient) -> None:
    enroll(client, "ann", photo("ann", 1))
    answer = enroll(client, "ann-again", photo("ann", 2))
    body = answer.json()
    assert (answer.status_code, body["code"]) == (409, "face_already_enrolled")
    assert body["type"] == "urn:facegate:problem:face_already_enrolled"
    (candidate,) = body["candidates"]
    assert (candidate["employee_id"], candidate["full_name"]) == ("ann", "Name of ann")
    assert candidate["similarity"] >= MANIFEST.verify.similarity
    assert "confirm_distinct" in body["hint"]
    assert client.get("/v1/employees/ann-again").status_code == 404


def test_confirmed_people_are_look_alikes_in_both_records(client: TestClient) -> None:
    enroll(client, "ann", photo("ann", 1))
    answer = enroll(client, "twin", photo("ann", 2), confirm_distinct="true")
    assert answer.status_code == 201
    assert answer.json()["look_alikes"] == ["ann"]
    assert client.get("/v1/employees/ann").json()["look_alikes"] == ["twin"]
    assert client.get("/v1/employees/twin").json()["look_alikes"] == ["ann"]
    by_json = client.post(
        "/v1/enroll",
        json={
            "employee_id": "third",
            "full_name": "Third",
            "photos": [text(photo("ann", 3))],
            "confirm_distinct": True,
        },
    )
    assert sorted(by_json.json()["look_alikes"]) == ["ann", "twin"]
    client.delete("/v1/employees/ann")
    assert client.get("/v1/employees/twin").json()["look_alikes"] == ["third"]


def test_what_is_no_yes_or_no_confirms_nothing(client: TestClient) -> None:
    enroll(client, "ann", photo("ann", 1))
    assert enroll(client, "twin", photo("ann", 2), confirm_distinct="false").status_code == 409
    answer = enroll(client, "twin", photo("ann", 2), confirm_distinct="perhaps")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


@pytest.mark.parametrize(
    ("facts", "code", "parts"),
    [
        ({"size_pixels": 9.6}, "face_too_small", ["9 px", "24 px", "step closer"]),
        ({"sharpness": 3}, "face_blurred", ["3", "15", "hold still"]),
        ({"clipped_shadows": 0.611}, "face_too_dark", ["62 %", "60 %", "light"]),
        (
            {"contrast_to_noise": 2.99},
            "face_too_noisy",
            ["2.9 times", "3 times", "the camera better: the picture is noisy"],
        ),
        ({"clipped_highlights": 0.7}, "face_too_bright", ["70 %", "60 %", "of the direct light"]),
        ({"yaw_degrees": -80}, "face_turned", ["80", "70", "straight into the camera"]),
        ({"pitch_degrees": 50}, "face_turned", ["50", "40", "straight into the camera"]),
        ({"inside_share": 0.411}, "face_cut_off", ["41 %", "60 %", "to the middle"]),
        ({"proportion": 0.512}, "face_distorted", ["51 %", "85 %", "as the camera took it"]),
        ({"faces": 0}, "no_face", ["look into the camera"]),
    ],
)
def test_a_photo_that_cannot_be_used_says_what_to_do(
    client: TestClient, facts: dict[str, float], code: str, parts: list[str]
) -> None:
    body = ask(client, "/v1/verify", photo("ann", 1, **facts)).json()
    assert body["code"] == code
    assert all(part in body["hint"] for part in parts)
    assert body["hint"].startswith(body["detail"])
    stored = enroll(client, "ann", photo("ann", 2), photo("ann", 3, **facts)).json()["photos"][1]
    assert stored["code"] == code
    assert parts[-1] in stored["hint"]


def test_other_problems_have_no_hint(client: TestClient) -> None:
    assert "hint" not in client.get("/v1/employees/nobody").json()
