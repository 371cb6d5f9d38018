from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from tests.api.requests import enroll
from tests.services.fakes import photo


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
