from __future__ import annotations

from collections.abc import Callable

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from tests.api.exchange import local_client
from tests.api.test_recognition_routes import enroll
from tests.services.conftest import House, open_house  # noqa: F401  a fixture
from tests.services.fakes import photo
from tests.services.test_policy import people_who_are


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


@pytest.mark.parametrize(("alike", "stricter"), [(1.0, True), (0.0, False)])
def test_the_policy_tells_what_the_own_gallery_makes_stricter(
    make_app: Callable[..., FastAPI],
    open_house: Callable[..., House],  # noqa: F811
    alike: float,
    stricter: bool,
) -> None:
    house = open_house()
    house.index.replace_all(people_who_are(alike, 200), 1)
    with local_client(make_app(house)) as client:
        own = client.get("/v1/policy").json()["own_gallery"]
    assert own == {
        "people": 200,
        "pairs": 19_900,
        "stricter": stricter,
        "verify_stricter": stricter,
    }
