from __future__ import annotations

import json
from collections.abc import Callable

import anyio
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from starlette.types import Message

from app.api.http.middleware.body import Patience
from app.main import body_patience
from tests.api.exchange import (
    ask_below_http,
    chunks,
    local_client,
    unreadable,
)
from tests.api.requests import ask, enroll
from tests.services.fakes import photo

JSON = {"content-type": "application/json"}


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


async def never() -> Message:
    await anyio.sleep_forever()
    return {"type": "http.disconnect"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", "/v1/employees/e1"),
        ("POST", "/v1/enroll"),
        ("POST", "/v1/employees/e1/verify"),
    ],
)
def test_a_body_that_does_not_come_is_ended_on_every_route(
    make_app: Callable[..., FastAPI], method: str, path: str
) -> None:
    with local_client(make_app(patience=Patience(0.06, 1e9))) as client:
        answer = ask_below_http(client, method, path, JSON, never)
    assert (answer.status, answer.json()["code"]) == (408, "request_too_slow")
    assert answer.headers["connection"] == "close"


def test_a_record_has_less_time_than_photos() -> None:
    patience = body_patience(Patience(30.0, 1e5))
    scope = {"type": "http", "method": "PATCH", "path": "/v1/employees/e1", "headers": []}
    assert patience(scope).seconds == 10.0
    assert patience(scope | {"method": "POST", "path": "/v1/verify"}).seconds == 30.0


def test_patience_grows_with_what_has_come() -> None:
    assert Patience(30.0, 1_000.0).after(5_000) == 35.0
