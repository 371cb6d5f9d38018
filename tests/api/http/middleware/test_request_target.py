"""Behind a prefix, with a slash at the end, with HEAD, and at a path that is none."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from tests.api.exchange import ask_below_http, local_client, unreadable
from tests.api.requests import ask, enroll
from tests.services.fakes import photo

KEY = "a-key-of-sixteen-or-more"
LARGE = {"content-type": "application/json", "content-length": "10000000"}


@pytest.fixture
def prefixed(make_app: Callable[..., FastAPI]) -> FastAPI:
    return make_app(root_path="/doors/facegate/", api_key=KEY)


@pytest.mark.parametrize("stripped", [True, False])
def test_behind_a_prefix_everything_is_served_whether_or_not_a_proxy_takes_it_off(
    prefixed: FastAPI, stripped: bool
) -> None:
    prefix = "" if stripped else "/doors/facegate"

    def through_proxy(link: str) -> str:
        """Return what reaches the service when a browser follows this link."""
        assert link.startswith("/doors/facegate/"), link
        return link.removeprefix("/doors/facegate") if stripped else link

    with local_client(prefixed) as client:
        client.headers["x-api-key"] = KEY
        enroll(client, "ann", photo("ann", 1))
        assert client.get(f"{prefix}/v1/employees/ann").status_code == 200
        assert ask(client, f"{prefix}/v1/verify/", photo("ann", 2)).status_code == 200
        for page in ("/docs", "/redoc"):
            html = client.get(f"{prefix}{page}").text
            assets = re.findall(r'(?:src|href)="([^"]+)"', html)
            document = re.search(r"""(?:url: '|spec-url=")([^'"]+)""", html)
            assert document is not None
            for link in (*assets, document.group(1)):
                assert client.get(through_proxy(link)).status_code == 200, link
        document_of_it = client.get(f"{prefix}/openapi.json").json()
        assert document_of_it["servers"] == [{"url": "/doors/facegate"}]
        for root in (f"{prefix}/", *([] if stripped else [prefix])):
            moved = client.get(root, follow_redirects=False)
            assert client.get(through_proxy(moved.headers["location"])).status_code == 200
        started = client.post(f"{prefix}/v1/audits")
        assert client.get(through_proxy(started.headers["location"])).status_code == 200


def test_behind_a_prefix_the_key_is_asked_for_before_a_body_is_read(prefixed: FastAPI) -> None:
    with local_client(prefixed) as client:
        for path in ("/v1/enroll", "/doors/facegate/v1/enroll", "/doors/facegate/v1/enroll/"):
            answer = ask_below_http(client, "POST", path, LARGE, unreadable)
            assert (answer.status, answer.json()["code"]) == (401, "unauthenticated")
        assert client.get("/doors/facegatev1/employees").status_code == 404


def test_a_slash_at_the_end_means_nothing(client: TestClient) -> None:
    enroll(client, "ann", photo("ann", 1))
    for path in ("/v1/employees/", "/v1/employees/ann/", "/healthz/", "/docs/", "/v1/policy/"):
        assert client.get(path, follow_redirects=False).status_code == 200, path
    large = photo("ann", 2) + b" " * 100
    answer = client.post("/v1/verify/", files={"photo": large}, follow_redirects=False)
    assert answer.json()["decision"] == "known"
    assert client.get("/v1/employees//", follow_redirects=False).status_code == 404
    counted = client.get("/metrics").text
    assert 'route="/v1/verify",status="200"' in counted


@pytest.mark.parametrize(
    "tail", ["%2F", "%2f", "%2F/", "%2Fphotos", "%2Fphotos%2Fnone", "/photos%2F"]
)
def test_a_slash_that_was_encoded_is_no_slash(client: TestClient, tail: str) -> None:
    enroll(client, "ann", photo("ann", 1))
    for method in ("DELETE", "GET", "PATCH"):
        answer = client.request(method, f"/v1/employees/ann{tail}", json={})
        assert answer.status_code in {404, 405, 422}, (method, answer.text)
        assert answer.json()["code"] in {"not_found", "invalid_request", "employee_not_found"}, (
            method,
            answer.text,
        )
    assert client.get("/v1/employees/ann").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("POST", "/v1/nowhere", 404, "not_found"),
        ("POST", "/nowhere", 404, "not_found"),
        ("POST", "/v1/verify/more", 404, "not_found"),
        ("PUT", "/v1/verify", 405, "method_not_allowed"),
        ("POST", "/v1/employees/ann", 405, "method_not_allowed"),
    ],
)
def test_a_wrong_path_is_told_so_however_large_the_body(
    client: TestClient, method: str, path: str, status: int, code: str
) -> None:
    for length in ({"content-length": "10000000"}, {"transfer-encoding": "chunked"}):
        answer = ask_below_http(client, method, path, length, unreadable)
        assert (answer.status, answer.json()["code"]) == (status, code)
        assert answer.headers["connection"] == "close"
    assert "connection" not in ask_below_http(client, method, path, {}, unreadable).headers


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/v1/policy", "/docs"])
def test_head_is_get_without_the_body(client: TestClient, path: str) -> None:
    head, get = client.head(path), client.get(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == get.headers["content-type"]
    assert client.head("/v1/verify").status_code == 405
    assert client.head("/nowhere").status_code == 404
