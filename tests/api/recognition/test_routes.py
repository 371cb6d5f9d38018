from __future__ import annotations

import math

import pytest
from starlette.testclient import TestClient

from tests.api.conftest import MAX_UPLOAD_BYTES
from tests.api.requests import ask, enroll, enroll_team, text
from tests.services.fakes import photo


def test_verify_says_known_or_unknown(client: TestClient) -> None:
    enroll_team(client)
    known = ask(client, "/v1/verify", photo("bob", 7)).json()
    assert known["decision"] == "known"
    assert known["employee"]["employee_id"] == "bob"
    assert known["next_step"] == "open"
    assert known["contenders"] == []
    promised = client.get("/v1/policy").json()["identify"]
    assert known["similarity"] >= known["threshold"] == promised["threshold"]
    assert known["probability"] > 0.9
    assert known["face"]["box"]["width"] == 100
    assert len(known["face"]["landmarks"]) == 5
    unknown = ask(client, "/v1/verify", photo("stranger")).json()
    assert unknown["decision"] == "unknown"
    assert unknown["employee"] is None
    assert unknown["probability"] > 0.9


def test_an_empty_gallery_is_unknown_and_no_error(client: TestClient) -> None:
    answer = ask(client, "/v1/verify", photo("ann"))
    assert answer.status_code == 200
    assert answer.json()["decision"] == "unknown"
    assert answer.json()["similarity"] is None
    assert answer.json()["probability"] == 1.0
    assert ask(client, "/v1/identify", photo("ann")).json()["candidates"] == []


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_identify_ranks_and_its_probabilities_sum_to_one(client: TestClient, limit: int) -> None:
    enroll_team(client)
    body = ask(client, "/v1/identify", photo("eve", 5), limit=limit).json()
    candidates = body["candidates"]
    assert [c["rank"] for c in candidates] == list(range(1, min(limit, 3) + 1))
    assert candidates[0]["employee"]["employee_id"] == "eve"
    total = sum(c["probability"] for c in candidates)
    assert math.isclose(total + body["others_probability"] + body["unknown_probability"], 1.0)


def test_a_claim_is_checked_against_one_employee(client: TestClient) -> None:
    enroll_team(client)
    right = ask(client, "/v1/employees/ann/verify", photo("ann", 5))
    wrong = ask(client, "/v1/employees/ann/verify", photo("bob", 5))
    assert (right.status_code, right.json()["decision"]) == (200, "match")
    assert (wrong.status_code, wrong.json()["decision"]) == (200, "no_match")
    assert (right.json()["next_step"], wrong.json()["next_step"]) == ("open", "refuse")
    twin = enroll(client, "tom", photo("ann", 3), photo("ann", 4), confirm_distinct="true")
    assert twin.json()["look_alikes"] == ["ann"]
    either = ask(client, "/v1/employees/tom/verify", photo("ann", 5)).json()
    assert (either["decision"], either["next_step"]) == ("match", "ask_second_factor")
    promised = client.get("/v1/policy").json()["verify"]
    assert right.json()["threshold"] == promised["threshold"]
    assert ask(client, "/v1/employees/nobody/verify", photo("ann")).status_code == 404


def test_two_photos_are_compared(client: TestClient) -> None:
    pair = {"first": text(photo("ann", 1)), "second": text(photo("ann", 2))}
    assert client.post("/v1/compare", json=pair).json()["decision"] == "same"
    files = {"first": photo("ann", 1), "second": photo("bob", 2)}
    answer = client.post("/v1/compare", files=files)
    assert answer.json()["decision"] == "different"
    assert len(answer.json()["faces"]) == 2


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"garbage", 422, "photo_undecodable"),
        (photo("ann", 1, faces=0), 422, "no_face"),
        (photo("ann", 1, size_pixels=4), 422, "face_too_small"),
        (photo("ann", 1, sharpness=0), 422, "face_blurred"),
        (photo("ann", 1, clipped_shadows=1), 422, "face_too_dark"),
        (photo("ann", 1, clipped_highlights=1), 422, "face_too_bright"),
        (photo("ann", 1, yaw_degrees=89), 422, "face_turned"),
        (b"x" * (MAX_UPLOAD_BYTES + 1), 413, "photo_too_many_bytes"),
        (b"x" * 30_000, 413, "request_too_large"),
    ],
)
def test_a_bad_photo_is_a_typed_problem(
    client: TestClient, content: bytes, status: int, code: str
) -> None:
    for answer in (
        ask(client, "/v1/verify", content),
        client.post("/v1/verify", json={"photo": text(content)}),
    ):
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert problem["code"] == code
        assert problem["type"] == f"urn:facegate:problem:{code}"
        assert problem["status"] == status
        assert problem["request_id"] == answer.headers["x-request-id"] != ""


def test_several_faces_are_taken_or_refused_by_parameter(client: TestClient) -> None:
    crowd = photo("ann", 1, faces=3)
    assert ask(client, "/v1/verify", crowd).json()["face"]["faces_found"] == 3
    refused = ask(client, "/v1/verify", crowd, faces="refuse")
    assert (refused.status_code, refused.json()["code"]) == (422, "several_faces")


def test_a_claim_is_made_by_card(client: TestClient) -> None:
    enroll(client, "ann", photo("ann", 1), card_number="0004711")
    right = ask(client, "/v1/cards/0004711/verify", photo("ann", 5))
    wrong = ask(client, "/v1/cards/0004711/verify", photo("bob", 5))
    assert (right.json()["decision"], wrong.json()["decision"]) == ("match", "no_match")
    assert right.json()["employee"]["employee_id"] == "ann"
    by_id = ask(client, "/v1/employees/ann/verify", photo("ann", 5)).json()
    assert right.json() | {"request_id": ""} == by_id | {"request_id": ""}
    for unknown in ("4711", "nobody's"):
        missing = ask(client, f"/v1/cards/{unknown}/verify", photo("ann", 5))
        assert (missing.status_code, missing.json()["code"]) == (404, "card_not_found")
    client.patch("/v1/employees/ann", json={"status": "suspended"})
    suspended = ask(client, "/v1/cards/0004711/verify", photo("ann", 5))
    assert (suspended.status_code, suspended.json()["code"]) == (409, "employee_suspended")
