from __future__ import annotations

from collections.abc import Callable

import pytest
from fastapi import FastAPI

from tests.api.exchange import ask_below_http, local_client, unreadable

KEY = "a-key-of-sixteen-or-more"
PAGE = "https://doors.example"
PREFLIGHT = {"access-control-request-method": "POST"}
PREFLIGHT |= {"access-control-request-headers": "x-api-key,content-type"}
FROM_PAGE = {"origin": PAGE, "sec-fetch-site": "cross-site", "sec-fetch-mode": "cors"}


@pytest.mark.parametrize("key", [None, KEY])
def test_an_allowed_page_calls_and_reads_errors_too(
    make_app: Callable[..., FastAPI], key: str | None
) -> None:
    app = make_app(allowed_origins=f"https://other.example, {PAGE}/", api_key=key)
    given = FROM_PAGE | ({"x-api-key": key} if key else {})
    with local_client(app) as client:
        asked = client.options("/v1/verify", headers=FROM_PAGE | PREFLIGHT)
        assert asked.status_code == 200
        assert asked.headers["access-control-allow-origin"] == PAGE
        assert "x-api-key" in asked.headers["access-control-allow-headers"].lower()
        assert "access-control-allow-credentials" not in asked.headers
        read = client.get("/v1/employees", headers=given)
        missing = client.get("/v1/employees/nobody", headers=given)
        assert (read.status_code, missing.status_code) == (200, 404)
        for answer in (read, missing):
            assert answer.headers["access-control-allow-origin"] == PAGE
            assert "x-request-id" in answer.headers["access-control-expose-headers"]
        if key:
            refused = client.get("/v1/employees", headers=FROM_PAGE)
            assert refused.status_code == 401
            assert refused.headers["access-control-allow-origin"] == PAGE


@pytest.mark.parametrize("origins", ["", PAGE])
@pytest.mark.parametrize("origin", ["https://page.example", "null", "https://doors.example.evil"])
def test_other_pages_stay_outside(
    make_app: Callable[..., FastAPI], origins: str, origin: str
) -> None:
    elsewhere = FROM_PAGE | {"origin": origin}
    with local_client(make_app(allowed_origins=origins)) as client:
        for method, headers in (("OPTIONS", elsewhere | PREFLIGHT), ("POST", elsewhere)):
            answer = ask_below_http(client, method, "/v1/enroll", headers, unreadable)
            assert (answer.status, answer.json()["code"]) == (403, "foreign_origin")
            assert "access-control-allow-origin" not in answer.headers
    with local_client(make_app(allowed_origins=origins, api_key=KEY)) as client:
        preflight = client.options("/v1/enroll", headers=elsewhere | PREFLIGHT)
        assert preflight.status_code >= 400
        assert "access-control-allow-origin" not in preflight.headers


def test_an_allowed_page_does_not_make_another_host_name_this_service(
    make_app: Callable[..., FastAPI],
) -> None:
    with local_client(make_app(allowed_origins=PAGE)) as client:
        headers = FROM_PAGE | {"host": "rebound.example"}
        answer = ask_below_http(client, "GET", "/v1/employees", headers, unreadable)
    assert (answer.status, answer.json()["code"]) == (403, "foreign_origin")
