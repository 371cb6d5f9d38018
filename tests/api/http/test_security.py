from __future__ import annotations

from collections.abc import Callable

import pytest
from fastapi import FastAPI

from tests.api.exchange import ask_below_http, local_client, unreadable

KEY = "a-key-of-sixteen-or-more"
JSON = {"content-type": "application/json"}
GUARDED = [
    ("PATCH", "/v1/employees/ann"),
    ("POST", "/v1/enroll"),
    ("POST", "/v1/verify"),
    ("POST", "/v1/nowhere"),
]


def test_a_key_guards_everything_but_health(make_app: Callable[..., FastAPI]) -> None:
    with local_client(make_app(api_key=KEY)) as client:
        for path in ("/v1/employees", "/v1/model"):
            refused = client.get(path)
            assert (refused.status_code, refused.json()["code"]) == (401, "unauthenticated")
            assert client.get(path, headers={"x-api-key": "wrong"}).status_code == 401
            foreign = {b"x-api-key": "wröng".encode()}
            assert client.get(path, headers=foreign).status_code == 401
            assert client.get(path, headers={"x-api-key": KEY}).status_code == 200
            bearer = {"Authorization": f"Bearer {KEY}"}
            assert client.get(path, headers=bearer).status_code == 200
        assert client.post("/v1/verify", files={"photo": b"x"}).status_code == 401
        assert client.get("/healthz").status_code == 200
        assert client.get("/readyz").status_code == 200


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
