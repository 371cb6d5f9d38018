"""What pages may do with the service, and what browsers and caches may keep of it."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from tests.api.exchange import ask_below_http, local_client, unreadable
from tests.api.test_recognition_routes import enroll
from tests.services.fakes import photo

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


def test_nothing_personal_is_kept_by_a_cache(client: TestClient) -> None:
    enroll(client, "ann", photo("ann", 1))
    for path in ("/v1/employees", "/v1/employees/ann", "/v1/nowhere", "/healthz", "/readyz"):
        assert client.get(path).headers["cache-control"] == "no-store", path
    verified = client.post("/v1/verify", files={"photo": photo("ann", 2)})
    assert verified.headers["cache-control"] == "no-store"
    script = client.get("/static-offline-docs/swagger-ui.css")
    assert script.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/v1/employees", "/nowhere", "/healthz"])
def test_every_answer_is_what_it_says_and_stands_in_no_frame(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe-inline" not in headers["content-security-policy"].partition("style-src")[0]


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_a_page_of_the_documentation_runs_its_own_scripts(client: TestClient, path: str) -> None:
    page = client.get(path)
    policy = page.headers["content-security-policy"]
    for script in re.findall(r"<script>(.*?)</script>", page.text, re.DOTALL):
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy


def test_documentation_and_metrics_can_be_left_out(make_app: Callable[..., FastAPI]) -> None:
    with local_client(make_app(docs=False, metrics="off")) as client:
        for path in ("/", "/docs", "/redoc", "/openapi.json", "/metrics"):
            assert client.get(path).status_code == 404, path
        assert client.get("/static-offline-docs/swagger-ui.css").status_code == 404
        assert client.get("/healthz").status_code == 200


def test_metrics_can_be_for_holders_of_the_key(make_app: Callable[..., FastAPI]) -> None:
    with local_client(make_app(metrics="key", api_key=KEY)) as client:
        assert client.get("/metrics").json()["code"] == "unauthenticated"
        bearer = {"authorization": f"Bearer {KEY}"}
        assert "facegate_http_requests" in client.get("/metrics", headers=bearer).text
        assert client.get("/openapi.json").json()["paths"]["/metrics"]["get"]["security"]
