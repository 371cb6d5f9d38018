from __future__ import annotations

from collections.abc import Callable

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from tests.api.exchange import ask_below_http, local_client, unreadable
from tests.api.requests import enroll
from tests.services.fakes import photo

FORM = {"content-type": "multipart/form-data; boundary=x"}
NAVIGATION = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
FROM_ELSEWHERE = [
    {"host": "rebound.example"},
    {"host": "rebound.example:8000"},
    {"host": "127.0.0.1.rebound.example"},
    {"host": "192.168.1.7:8000"},
    {"host": "[fe80::1"},
    {"host": ""},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "cross-site"} | NAVIGATION,
    {"origin": "https://page.example"},
    {"origin": "null"},
    {"origin": "http://127.0.0.1:9000"},
    {"origin": "http://localhost:8000"},
]
FROM_HERE = [
    {},
    {"host": "localhost:8000"},
    {"host": "127.0.0.1"},
    {"host": "[::1]:8000"},
    {"sec-fetch-site": "none"},
    {"sec-fetch-site": "same-origin", "origin": "http://127.0.0.1:8000"},
    {"host": "localhost:8000", "origin": "http://localhost:8000"},
    {"sec-fetch-site": "cross-site"} | NAVIGATION,
]


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/v1/enroll"), ("DELETE", "/v1/employees/ann")]
)
def test_without_a_key_no_other_page_enrolls_or_deletes(
    client: TestClient, method: str, path: str
) -> None:
    enroll(client, "ann", photo("ann"))
    for headers in FROM_ELSEWHERE:
        answer = ask_below_http(client, method, path, FORM | headers, unreadable)
        assert (answer.status, answer.json()["code"]) == (403, "foreign_origin"), headers
        assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert client.get("/v1/employees/ann").status_code == 200


@pytest.mark.parametrize("path", ["/docs", "/healthz", "/v1/employees"])
def test_this_machine_its_documentation_and_links_to_it_are_served(
    client: TestClient, path: str
) -> None:
    for headers in FROM_HERE:
        assert ask_below_http(client, "GET", path, headers, unreadable).status == 200, headers


def test_a_page_that_embeds_the_service_sees_nothing(client: TestClient) -> None:
    frame = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    frame |= {"sec-fetch-dest": "iframe"}
    assert ask_below_http(client, "GET", "/docs", frame, unreadable).status == 403


def test_with_a_key_the_service_has_any_name(make_app: Callable[..., FastAPI]) -> None:
    key = "a-key-of-sixteen-or-more"
    with local_client(make_app(api_key=key)) as client:
        for headers in FROM_ELSEWHERE:
            given = headers | {"x-api-key": key}
            assert ask_below_http(client, "GET", "/v1/employees", given, unreadable).status == 200


def test_behind_a_gateway_the_service_has_any_name_and_other_pages_are_refused(
    make_app: Callable[..., FastAPI],
) -> None:
    app = make_app(host="0.0.0.0", allow_anonymous=True)  # noqa: S104
    with local_client(app) as client:
        named = {"host": "doors.example", "origin": "https://gateway.example"}
        for headers in (named, named | {"sec-fetch-site": "same-origin"}):
            answer = ask_below_http(client, "GET", "/v1/employees", headers, unreadable)
            assert answer.status == 200
        foreign = named | {"sec-fetch-site": "cross-site"}
        refused = ask_below_http(client, "GET", "/v1/employees", foreign, unreadable)
        assert (refused.status, refused.json()["code"]) == (403, "foreign_origin")
