from __future__ import annotations

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from tests.api.requests import ask, enroll, text
from tests.services.fakes import photo


def add(client: TestClient, employee_id: str, *photos: bytes, **fields: str) -> Response:
    files = [("photos", ("photo.jpg", content)) for content in photos]
    return client.post(f"/v1/employees/{employee_id}/photos", files=files, data=fields)


def photos_of(client: TestClient, employee_id: str) -> list[str]:
    found = client.get(f"/v1/employees/{employee_id}").json()["photos"]
    return [one["photo_id"] for one in found]


def test_the_same_photo_again_is_already_enrolled(client: TestClient) -> None:
    first = enroll(client, "ann", photo("ann", 1)).json()
    again = enroll(client, "ann", photo("ann", 1), photo("ann", 2))
    assert again.status_code == 200
    body = again.json()
    counts = (body["enrolled_count"], body["already_enrolled_count"], body["rejected_count"])
    assert counts == (1, 1, 0)
    repeated, added = body["photos"]
    assert (repeated["status"], repeated["code"]) == ("already_enrolled", "already_enrolled")
    assert repeated["photo_id"] == first["photos"][0]["photo_id"]
    assert added["status"] == "enrolled"
    retried = enroll(client, "ann", photo("ann", 1), photo("ann", 2)).json()
    assert retried["employee"] == body["employee"]
    assert retried["already_enrolled_count"] == 2


def test_photos_are_added_and_nobody_is_created(client: TestClient) -> None:
    missing = add(client, "ann", photo("ann", 1))
    assert (missing.status_code, missing.json()["code"]) == (404, "employee_not_found")
    assert client.get("/v1/employees").json()["employees"] == []
    enroll(client, "ann", photo("ann", 1))
    added = add(client, "ann", photo("ann", 2), photo("bob", 1)).json()
    assert (added["created"], added["enrolled_count"], added["rejected_count"]) == (False, 1, 1)
    by_json = client.post("/v1/employees/ann/photos", json={"photos": [text(photo("ann", 3))]})
    assert by_json.json()["employee"]["photo_count"] == 3


def test_all_photos_are_replaced_by_those_of_another(client: TestClient) -> None:
    enroll(client, "ann", photo("bob", 1), photo("bob", 2))
    refused = add(client, "ann", photo("ann", 1), photo("ann", 2))
    assert (refused.status_code, refused.json()["code"]) == (422, "no_usable_photo")
    replaced = add(client, "ann", photo("ann", 1), photo("ann", 2), replace="true")
    assert replaced.json()["employee"]["photo_count"] == 2
    assert ask(client, "/v1/verify", photo("ann", 5)).json()["decision"] == "known"
    assert ask(client, "/v1/verify", photo("bob", 5)).json()["decision"] == "unknown"


@pytest.mark.parametrize("as_json", [False, True])
def test_the_only_wrong_photo_is_replaced_in_one_request(client: TestClient, as_json: bool) -> None:
    enroll(client, "ann", photo("bob", 1))
    (wrong,) = photos_of(client, "ann")
    path = f"/v1/employees/ann/photos/{wrong}"
    assert client.delete(path).json()["code"] == "last_photo"
    right = photo("ann", 1)
    body = {"json": {"photo": text(right)}} if as_json else {"files": {"photo": right}}
    answer = client.put(path, **body)
    assert answer.status_code == 200
    assert answer.json() == client.get(path).json()
    assert answer.json()["photo_id"] == wrong
    assert ask(client, "/v1/verify", photo("ann", 5)).json()["decision"] == "known"
    assert client.delete(path).json()["code"] == "last_photo"


def test_what_cannot_replace_a_photo_has_its_code(client: TestClient) -> None:
    enroll(client, "ann", photo("ann", 1), photo("ann", 2))
    enroll(client, "bob", photo("bob", 1))
    first, _ = photos_of(client, "ann")
    (of_bob,) = photos_of(client, "bob")
    cases = [
        (f"ann/photos/{first}", photo("ann", 2), 409, "already_enrolled"),
        (f"ann/photos/{first}", photo("eve", 1), 422, "photo_of_somebody_else"),
        (f"ann/photos/{first}", photo("ann", 3, faces=2), 422, "several_faces"),
        (f"ann/photos/{first}", b"garbage", 422, "photo_undecodable"),
        (f"ann/photos/{of_bob}", photo("ann", 3), 404, "photo_not_found"),
        (f"eve/photos/{first}", photo("eve", 3), 404, "employee_not_found"),
        (f"bob/photos/{of_bob}", photo("ann", 3), 409, "face_already_enrolled"),
    ]
    before = photos_of(client, "ann")
    for path, content, status, code in cases:
        answer = client.put(f"/v1/employees/{path}", files={"photo": content})
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert photos_of(client, "ann") == before


def test_a_slash_too_many_replaces_nothing(client: TestClient) -> None:
    """A client whose photo id is empty must not change all photos."""
    enroll(client, "ann", photo("ann", 1))
    answer = client.put("/v1/employees/ann/photos/", files={"photo": photo("ann", 2)})
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert client.delete("/v1/employees/ann/photos/").status_code == 405
