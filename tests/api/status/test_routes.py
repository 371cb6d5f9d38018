from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from fastapi import FastAPI
from starlette.testclient import TestClient

from tests.api.exchange import local_client
from tests.services.conftest import House
from tests.services.fakes import MANIFEST, photo
from tests.services.test_enrollment import enroll

KEY = "a-key-of-sixteen-or-more"


def test_health_model_and_readiness(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "alive"}
    model = client.get("/v1/model").json()
    assert model["model_version"] == MANIFEST.model_version
    assert model["runtime"] == "torchscript"
    promised = client.get("/v1/policy").json()
    assert model["identify"]["similarity"] == promised["identify"]["threshold"]
    assert model["verify"]["similarity"] == promised["verify"]["threshold"]
    ready = client.get("/readyz")
    assert ready.status_code == 200
    assert ready.json()["recognition"] is True


def test_a_photo_left_out_is_named_and_its_owner_only_to_whoever_has_the_key(
    make_app: Callable[..., FastAPI], open_house: Callable[[], House], tmp_path: Path
) -> None:
    house = open_house()
    enrolled = enroll(house, "ann", photo("ann", 1)).enrolled
    enroll(house, "bob", photo("bob", 1))
    with closing(sqlite3.connect(tmp_path / "registry.sqlite3")) as connection, connection:
        connection.execute("UPDATE photos SET embedding = zeroblob(256) WHERE key = 1")
    with local_client(make_app(open_house(), api_key=KEY)) as client:
        report = client.get("/readyz").json()
        named = client.get("/readyz", headers={"x-api-key": KEY}).json()
    assert report["ready"] is True
    assert report["left_out_count"] == 1
    assert "1 stored photos are left out of every comparison" in report["detail"]
    (left_out,) = report["left_out"]
    assert left_out["photo_id"] == enrolled[0].photo.photo_id
    assert "unit length" in left_out["reason"]
    assert left_out["employee_id"] is None
    assert named["left_out"] == [left_out | {"employee_id": "ann"}]
    assert "ann" not in str(report)


def test_the_bare_address_leads_to_the_documentation(client: TestClient) -> None:
    answer = client.get("/", follow_redirects=True)
    assert answer.status_code == 200
    assert answer.url.path == "/docs"
    assert "/" not in client.get("/openapi.json").json()["paths"]


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
