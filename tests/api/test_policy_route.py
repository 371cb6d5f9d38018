from __future__ import annotations

from starlette.testclient import TestClient

from tests.api.test_recognition_routes import enroll
from tests.services.fakes import photo


def test_the_policy_tells_what_is_promised_now(client: TestClient) -> None:
    empty = client.get("/v1/policy").json()
    assert empty["people"] == 0
    enroll(client, "ann", photo("ann", 1))
    enroll(client, "bob", photo("bob", 1))
    body = client.get("/v1/policy").json()
    assert body["people"] == 2
    assert body["identify"]["stated_rate"] == 0.01
    assert body["identify"]["kept"] is True
    assert body["identify"]["threshold"] > empty["identify"]["threshold"]
    assert body["verify"]["promised_rate"] <= 0.001 * 1.01
    assert body["own_gallery"] is None


def test_the_policy_tells_what_would_be(client: TestClient) -> None:
    now = client.get("/v1/policy").json()
    later = client.get("/v1/policy", params={"people": 300, "fpir": 0.05}).json()
    assert later["people"] == 300
    assert later["identify"]["stated_rate"] == 0.05
    assert later["identify"]["threshold"] > now["identify"]["threshold"]
    refused = client.get("/v1/policy", params={"people": 1_000_000, "fpir": 0.001})
    assert refused.status_code == 422
    assert refused.json()["code"] == "risk_not_supported"
    assert "at most" in refused.json()["detail"]
    assert client.get("/v1/policy", params={"fpir": 0}).status_code == 422
