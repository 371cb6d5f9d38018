from __future__ import annotations

from starlette.testclient import TestClient

from tests.api.conftest import MAX_UPLOAD_BYTES
from tests.api.requests import ask, enroll, text
from tests.services.fakes import photo


def test_enrollment_tells_what_became_of_every_photo(client: TestClient) -> None:
    answer = enroll(client, "ann", photo("ann", 1), b"garbage", photo("ann", 2, faces=2))
    assert answer.status_code == 201
    body = answer.json()
    assert body["created"] is True
    assert (body["enrolled_count"], body["rejected_count"]) == (1, 2)
    assert [p["status"] for p in body["photos"]] == ["enrolled", "rejected", "rejected"]
    assert [p["code"] for p in body["photos"]] == [None, "photo_undecodable", "several_faces"]
    assert body["photos"][0]["photo_id"]
    assert body["employee"]["photo_count"] == 1
    assert body["request_id"] == answer.headers["x-request-id"]
    assert enroll(client, "ann", photo("ann", 3)).status_code == 200


def test_a_covered_face_has_its_own_code_and_every_answer_says_how_plain_a_face_is(
    client: TestClient,
) -> None:
    photos = photo("ann", 1, plainness=0.91234), photo("ann", 2, plainness=0.1)
    body = enroll(client, "ann", *photos).json()
    assert [p["code"] for p in body["photos"]] == [None, "face_covered"]
    assert "take off" in body["photos"][1]["hint"]
    assert body["photos"][0]["face"]["quality"]["plainness"] == 0.9123
    seen = ask(client, "/v1/verify", photo("ann", 3, plainness=0.1)).json()
    assert seen["decision"] == "known"
    assert seen["face"]["quality"]["plainness"] == 0.1
    url = f"/v1/employees/ann/photos/{body['photos'][0]['photo_id']}"
    replaced = client.put(url, files={"photo": photo("ann", 4, plainness=0.1)})
    assert (replaced.status_code, replaced.json()["code"]) == (422, "face_covered")
    assert client.get(url).json()["quality"]["plainness"] is None


def test_one_photo_that_cannot_be_taken_does_not_cost_the_others(client: TestClient) -> None:
    large = b"x" * (MAX_UPLOAD_BYTES + 1)
    answer = enroll(client, "ann", photo("ann", 1), large, photo("ann", 2))
    assert answer.status_code == 201
    assert [p["code"] for p in answer.json()["photos"]] == [None, "photo_too_many_bytes", None]
    texts = [text(large), text(photo("bob", 1)), "*** no base64 ***", text(photo("bob", 2)), "é"]
    body = {"employee_id": "bob", "full_name": "Bob", "photos": texts}
    by_json = client.post("/v1/enroll", json=body)
    assert by_json.status_code == 201
    codes = [p["code"] for p in by_json.json()["photos"]]
    bad = "photo_undecodable"
    assert codes == ["photo_too_many_bytes", None, bad, None, bad]
    assert by_json.json()["photos"][2]["message"] == "not valid base64"


def test_an_empty_form_field_is_no_value(client: TestClient) -> None:
    answer = enroll(client, "ann", photo("ann", 1), card_number="")
    assert answer.status_code == 201
    assert answer.json()["employee"]["card_number"] is None
    nameless = enroll(client, "bob", photo("bob", 1), full_name="")
    assert (nameless.status_code, nameless.json()["code"]) == (422, "invalid_request")


def test_json_and_multipart_do_the_same(client: TestClient) -> None:
    body = {
        "employee_id": "ann",
        "full_name": "Ann",
        "card_number": "c-1",
        "photos": [text(photo("ann", 1)), "data:image/jpeg;base64," + text(photo("ann", 2))],
    }
    answer = client.post("/v1/enroll", json=body)
    assert answer.status_code == 201
    assert answer.json()["employee"]["photo_count"] == 2
    by_json = client.post("/v1/verify", json={"photo": text(photo("ann", 5))}).json()
    by_form = ask(client, "/v1/verify", photo("ann", 5)).json()
    assert by_json | {"request_id": ""} == by_form | {"request_id": ""}
    assert by_json["employee"]["card_number"] == "c-1"


def test_an_enrollment_without_a_usable_photo_stores_nothing(client: TestClient) -> None:
    large = b"x" * (MAX_UPLOAD_BYTES + 1)
    answer = enroll(client, "ann", b"garbage", photo("ann", 1, faces=0), large)
    assert answer.status_code == 422
    assert answer.json()["code"] == "no_usable_photo"
    codes = [p["code"] for p in answer.json()["photos"]]
    assert codes == ["photo_undecodable", "no_face", "photo_too_many_bytes"]
    assert client.get("/v1/employees").json()["employees"] == []


def test_conflicts_are_409(client: TestClient) -> None:
    enroll(client, "ann", photo("ann", 1), card_number="7")
    taken = enroll(client, "bob", photo("bob", 1), card_number="7")
    assert (taken.status_code, taken.json()["code"]) == (409, "card_number_taken")
    renamed = client.post(
        "/v1/enroll",
        data={"employee_id": "ann", "full_name": "Somebody Else"},
        files=[("photos", photo("ann", 2))],
    )
    assert (renamed.status_code, renamed.json()["code"]) == (409, "name_differs")
    moved = enroll(client, "ann", photo("ann", 2), card_number="8")
    assert (moved.status_code, moved.json()["code"]) == (409, "card_number_differs")
