from __future__ import annotations

from starlette.testclient import TestClient

from tests.api.requests import ask, enroll_team
from tests.services.fakes import photo


def test_metrics_count_decisions_and_name_nobody(client: TestClient) -> None:
    enroll_team(client)
    ask(client, "/v1/verify", photo("bob", 5))
    ask(client, "/v1/verify", photo("stranger"))
    client.get("/v1/employees/bob")
    exposed = client.get("/metrics").text
    assert 'facegate_decisions_total{decision="known",question="verify"} 1.0' in exposed
    assert 'facegate_decisions_total{decision="unknown",question="verify"} 1.0' in exposed
    assert "facegate_gallery_employees 3.0" in exposed
    assert "/v1/employees/{employee_id}" in exposed
    assert "bob" not in exposed


def test_callers_cannot_make_metrics_grow(client: TestClient) -> None:
    for number in range(5):
        assert client.request(f"BREW{number}", f"/pot/{number}").status_code == 404
        assert client.request(f"BREW{number}", "/v1/verify").status_code == 405
        client.get(f"/static-offline-docs/{number}")
        client.get(f"/v1/employees/e{number}/photos/p{number}")
    counted = {
        line.partition(" ")[0]
        for line in client.get("/metrics").text.splitlines()
        if line.startswith("facegate_http_requests_total")
    }
    name = "facegate_http_requests_total"
    photo_path = "/v1/employees/{employee_id}/photos/{photo_id}"
    assert {line for line in counted if "BREW" in line} == set()
    assert f'{name}{{method="other",route="unmatched",status="404"}}' in counted
    assert f'{name}{{method="other",route="/v1/verify",status="405"}}' in counted
    assert f'{name}{{method="GET",route="{photo_path}",status="404"}}' in counted
    assert len(counted) == 4, counted
