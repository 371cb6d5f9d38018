from __future__ import annotations

import base64
import math

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from tests.api.conftest import MAX_UPLOAD_BYTES
from tests.services.fakes import photo


def enroll(client: TestClient, employee_id: str, *photos: bytes, **fields: str) -> Response:
    return client.post(
        "/v1/enroll",
        data={"employee_id": employee_id, "full_name": f"Name of {employee_id}", **fields},
        files=[("photos", ("photo.jpg", content)) for content in photos],
    )


def ask(client: TestClient, path: str, content: bytes, **query: str | int) -> Response:
    return client.post(path, files={"photo": ("photo.jpg", content)}, params=query)


def text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def enroll_team(client: TestClient) -> None:
    for name in ("ann", "bob", "eve"):
        assert enroll(client, name, photo(name, 1), photo(name, 2)).status_code == 201


def test_enrolment_tells_what_became_of_every_photo(client: TestClient) -> None:
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


def test_an_enrolment_without_a_usable_photo_stores_nothing(client: TestClient) -> None:
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


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"photo": 7},
        {"photo": "*** no base64 ***"},
        {"photo": "aaaaa"},
        {"photo": "aa=a"},
        {"photo": text(b"x"), "surprise": 1},
        [],
    ],
)
def test_a_malformed_body_is_a_problem_and_never_echoed(client: TestClient, body: object) -> None:
    answer = client.post("/v1/verify", json=body)
    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid_request"
    assert "no base64 ***" not in answer.text


def test_other_malformed_requests(client: TestClient) -> None:
    broken = client.post("/v1/verify", content=b"{", headers={"content-type": "application/json"})
    assert (broken.status_code, broken.json()["code"]) == (422, "invalid_request")
    plain = client.post("/v1/verify", content=b"x", headers={"content-type": "text/plain"})
    assert (plain.status_code, plain.json()["code"]) == (415, "media_type_unsupported")
    bad_form = client.post(
        "/v1/verify", content=b"x", headers={"content-type": "multipart/form-data"}
    )
    assert (bad_form.status_code, bad_form.json()["code"]) == (400, "bad_request")
    assert bad_form.headers["content-type"] == "application/problem+json"
    two = client.post("/v1/verify", files=[("photo", b"a"), ("photo", b"b")])
    assert two.status_code == 422
    as_text = client.post("/v1/verify", data={"photo": "a"}, files={"x": b"1"})
    assert as_text.status_code == 422
    assert client.post("/v1/identify?limit=0", files={"photo": photo("a")}).status_code == 422
    many = enroll(client, "ann", *[photo("ann", n) for n in range(21)])
    assert many.status_code == 422
    assert enroll(client, "a/b", photo("ann")).status_code == 422
    assert client.get("/nowhere").json()["code"] == "not_found"
    assert client.put("/v1/verify").json()["code"] == "method_not_allowed"


@pytest.mark.parametrize(("more", "code"), [(0, "photo_undecodable"), (1, "photo_too_many_bytes")])
def test_the_line_ends_of_base64_are_no_bytes_of_the_photo(
    client: TestClient, more: int, code: str
) -> None:
    lines = base64.encodebytes(b"x" * (MAX_UPLOAD_BYTES + more)).decode().replace("\n", "\r\n")
    assert client.post("/v1/identify", json={"photo": lines}).json()["code"] == code


def test_base64_is_taken_in_every_spelling(client: TestClient) -> None:
    enroll(client, "ann", photo("ann", 1), photo("ann", 2))
    content = photo("ann", 3, detector_score=0.9)
    url_safe = base64.urlsafe_b64encode(content).decode()
    for spelling in (
        url_safe,
        url_safe.rstrip("="),
        text(content).rstrip("="),
        "\r\n".join(text(content)[n : n + 20] for n in range(0, 200, 20)),
        "DATA:image/jpeg;base64," + url_safe,
    ):
        answer = client.post("/v1/verify", json={"photo": spelling})
        assert answer.json()["decision"] == "known", spelling
    odd = base64.b64encode(bytes(range(248, 256)) * 3).decode()
    assert "+" in odd
    assert "/" in odd
    for spelling in (odd, odd.translate(str.maketrans("+/", "-_"))):
        assert client.post("/v1/verify", json={"photo": spelling}).json()["code"] == (
            "photo_undecodable"
        )


def test_a_form_may_mark_its_lists(client: TestClient) -> None:
    for names in (("photos[]", "photos[]"), ("photos[0]", "photos[1]"), ("photos", "photos[]")):
        answer = client.post(
            "/v1/enroll",
            data={"employee_id": "ann", "full_name": "Ann"},
            files=[(name, photo("ann", n)) for n, name in enumerate(names)],
        )
        enrolled = answer.json()
        assert enrolled.get("enrolled_count") == 2, enrolled
        assert client.delete("/v1/employees/ann").status_code == 204
    enroll(client, "ann", photo("ann", 1), photo("ann", 2))
    files = [("frames[]", photo("ann", n)) for n in (3, 4)]
    assert client.post("/v1/verify", files=files).json()["decision"] == "known"
    one = client.post("/v1/verify", files={"photo[]": photo("ann", 3)})
    assert (one.status_code, one.json()["code"]) == (422, "invalid_request")


@pytest.mark.parametrize("media_type", ["image/jpeg", "image/png", "application/octet-stream"])
def test_one_photo_may_be_the_whole_body(client: TestClient, media_type: str) -> None:
    enroll(client, "ann", photo("ann", 1), photo("ann", 2))
    headers = {"content-type": media_type}
    for path in ("/v1/verify", "/v1/identify", "/v1/employees/ann/verify"):
        answer = client.post(path, content=photo("ann", 3), headers=headers)
        assert answer.json()["decision"] in ("known", "match"), answer.text
        large = client.post(path, content=b"x" * (MAX_UPLOAD_BYTES + 1), headers=headers)
        assert (large.status_code, large.json()["code"]) == (413, "photo_too_many_bytes")
        empty = client.post(path, content=b"", headers=headers)
        assert (empty.status_code, empty.json()["code"]) == (422, "invalid_request")
    for path in ("/v1/enroll", "/v1/compare"):
        answer = client.post(path, content=photo("ann", 3), headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (415, "media_type_unsupported")
