from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from tests.api.exchange import ask_below_http, chunks, local_client, unreadable
from tests.api.test_recognition_routes import ask, enroll
from tests.services.fakes import photo

KEY = "a-key-of-sixteen-or-more"
JSON = {"content-type": "application/json"}
GUARDED = [
    ("PATCH", "/v1/employees/ann"),
    ("POST", "/v1/enroll"),
    ("POST", "/v1/verify"),
    ("POST", "/v1/nowhere"),
]


@pytest.mark.parametrize("given", [{}, {"x-api-key": "wrong"}, {"authorization": "Bearer wrong"}])
@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_without_the_key_no_body_is_read(
    make_app: Callable[..., FastAPI], method: str, path: str, given: dict[str, str]
) -> None:
    with local_client(make_app(api_key=KEY)) as client:
        answer = ask_below_http(client, method, path, JSON | given, unreadable)
    assert (answer.status, answer.json()["code"]) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["request_id"] == answer.headers["x-request-id"] != ""


def test_a_record_is_held_to_fewer_bytes_than_photos(make_app: Callable[..., FastAPI]) -> None:
    with local_client(make_app(max_request_bytes=200_000)) as client:
        enroll(client, "ann", photo("ann"))
        long = json.dumps({"full_name": "x" * 70_000}).encode()
        length = {"content-length": str(len(long))}
        path = "/v1/employees/ann"
        announced = ask_below_http(client, "PATCH", path, JSON | length, unreadable)
        counted = ask_below_http(client, "PATCH", path, JSON, chunks(long[:60_000], long[60_000:]))
        for answer in (announced, counted):
            assert (answer.status, answer.json()["code"]) == (413, "request_too_large")
            assert answer.headers["connection"] == "close"
        # As many bytes of a photo are only a bad photo.
        assert ask(client, "/v1/verify", b"x" * 70_000).json()["code"] == "photo_too_many_bytes"
        assert client.get(path).json()["full_name"] == "Name of ann"


def test_what_arrives_is_counted_against_the_limit_of_photos(client: TestClient) -> None:
    for path in ("/v1/verify", "/v1/employees/ann/verify", "/v1/enroll"):
        parts = chunks(b'{"photo": "', b"A" * 15_000, b"A" * 15_000, b'"}')
        answer = ask_below_http(client, "POST", path, JSON, parts)
        assert (answer.status, answer.json()["code"]) == (413, "request_too_large")
