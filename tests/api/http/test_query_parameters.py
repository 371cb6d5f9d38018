from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from tests.api.exchange import ask_below_http, local_client, unreadable
from tests.api.requests import ask, enroll
from tests.services.fakes import photo


def test_every_route_refuses_a_parameter_that_it_does_not_have(client: TestClient) -> None:
    enroll(client, "ann", photo("ann", 1))
    paths = client.get("/openapi.json").json()["paths"]
    asked = 0
    for path, operations in paths.items():
        for method in operations:
            url = re.sub(r"\{\w+\}", "ann", path)
            answer = client.request(method, url, params={"nonsense": "1"})
            assert answer.status_code == 422, (method, path)
            assert answer.json()["code"] == "invalid_request"
            assert answer.json()["detail"] == "query.nonsense: is not a parameter of this request"
            asked += 1
    assert asked > 20
    assert client.get("/v1/employees/ann").status_code == 200


def test_a_known_parameter_is_taken_once(client: TestClient) -> None:
    assert client.get("/v1/employees?limit=2&limit=3").json()["code"] == "invalid_request"
    assert client.get("/v1/employees?limit=2").status_code == 200
    assert ask(client, "/v1/identify", photo("ann"), limit=2, faces="refuse").status_code == 200
    assert client.get("/v1/employees?Limit=2").status_code == 422


def test_an_unknown_parameter_is_refused_before_the_body_is_read(
    make_app: Callable[..., FastAPI],
) -> None:
    headers = {"content-type": "multipart/form-data; boundary=x"}
    with local_client(make_app()) as client:
        answer = ask_below_http(client, "POST", "/v1/enroll", headers, unreadable, b"x=1")
    assert (answer.status, answer.json()["code"]) == (422, "invalid_request")


@pytest.mark.parametrize("path", ["/docs?x=1", "/openapi.json?x=1"])
def test_pages_may_be_asked_for_with_anything(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 200
