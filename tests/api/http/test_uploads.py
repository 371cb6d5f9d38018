from __future__ import annotations

import base64
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from tests.api.conftest import MAX_UPLOAD_BYTES
from tests.api.exchange import (
    ask_below_http,
    chunks,
    local_client,
)
from tests.api.requests import enroll, text
from tests.services.fakes import photo

PERSON = {"employee_id": "ann", "full_name": "Ann"}
JSON = {"content-type": "application/json"}


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


def test_an_upload_that_finds_no_room_is_a_503_with_its_code(
    make_app: Callable[..., FastAPI], tmp_path: Path
) -> None:
    """What is larger than a megabyte waits in a temporary file."""
    before = tempfile.tempdir
    with local_client(make_app(max_request_bytes=3_000_000)) as client:
        tempfile.tempdir = str(tmp_path / "gone")
        try:
            answer = client.post("/v1/verify", files={"photo": bytes(2_000_000)})
        finally:
            tempfile.tempdir = before
    assert (answer.status_code, answer.json()["code"]) == (503, "temporary_storage")
    assert answer.headers["retry-after"] == "60"


def test_a_body_of_many_values_is_not_parsed(client: TestClient) -> None:
    for body in (b'{"photo": [' + b"{}," * 1_000 + b"{}]}", b"[" * 1_001, b'{"a": {' * 501):
        answer = ask_below_http(client, "POST", "/v1/verify", JSON, chunks(body))
        assert (answer.status, answer.json()["code"]) == (422, "invalid_request")
        assert answer.json()["detail"] == "the body has too many values"


@pytest.mark.parametrize("cut", [2, 6, 40, 400])
def test_a_form_that_is_cut_off_is_told_and_no_photo_is_dropped(
    client: TestClient, cut: int
) -> None:
    photos = [photo("ann", number) for number in (1, 2, 3)]
    whole = client.build_request(
        "POST", "/v1/enroll", data=PERSON, files=[("photos", one) for one in photos]
    )
    content = whole.read()
    headers = {"content-type": whole.headers["content-type"]}
    answer = client.post("/v1/enroll", content=content[:-cut], headers=headers)
    if cut == 2:  # the line end after the closing boundary may be missing
        assert [one["status"] for one in answer.json()["photos"]] == ["enrolled"] * 3
        return
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert "before its last part is whole" in answer.json()["detail"]
    assert client.get("/v1/employees").json()["employees"] == []


def test_what_follows_the_closing_boundary_is_no_part_of_a_form(client: TestClient) -> None:
    whole = client.build_request("POST", "/v1/verify", files={"photo": photo("ann")})
    headers = {"content-type": whole.headers["content-type"]}
    answer = client.post("/v1/verify", content=whole.read() + b"epilogue\r\n", headers=headers)
    assert answer.status_code == 200
