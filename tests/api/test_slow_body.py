from __future__ import annotations

from collections.abc import Callable

import anyio
import pytest
from fastapi import FastAPI
from starlette.types import Message

from app.api.slow_body import Patience
from app.main import body_patience
from tests.api.exchange import ask_below_http, local_client

JSON = {"content-type": "application/json"}


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
