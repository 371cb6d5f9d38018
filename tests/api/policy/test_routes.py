from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.domain.model_manifest import Threshold
from app.domain.policy import PromiseFor, RiskPolicy
from app.domain.tails import GenuineScores, ImpostorTail
from app.services.policy import DecisionPolicy
from tests.api.exchange import local_client
from tests.api.requests import enroll
from tests.services.conftest import RISK, House, open_house  # noqa: F401  a fixture
from tests.services.fakes import MANIFEST, photo
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


GROUPS = (
    ImpostorTail("everyone", ((0.1, 0.1), (1e-3, 0.3), (1e-7, 0.5)), 1e-6),
    ImpostorTail("one group", ((0.1, 0.2), (1e-3, 0.4), (1e-7, 0.6)), 1e-6),
)


@pytest.mark.parametrize("whom", PromiseFor)
def test_the_policy_tells_what_each_choice_would_promise_and_refuse(
    make_app: Callable[..., FastAPI],
    open_house: Callable[..., House],  # noqa: F811
    whom: PromiseFor,
) -> None:
    genuine = (GenuineScores(1, ((0.0, 0.1), (1.0, 0.9)), people=40),)
    manifest = dataclasses.replace(
        MANIFEST, tails=GROUPS, identify=Threshold(0.45, 1e-4, "one group"), genuine=genuine
    )
    house = open_house()
    targets = dataclasses.replace(RISK, promise_for=whom)
    policy = DecisionPolicy(RiskPolicy(manifest, targets), house.index, 0.5, 0.5)
    with local_client(make_app(dataclasses.replace(house, policy=policy))) as client:
        body = client.get("/v1/policy", params={"people": 100}).json()
    assert body["promise_for"] == whom
    worst, mixed = body["choices"]
    assert [one["promise_for"] for one in (worst, mixed)] == ["worst-group", "mixed"]
    present = worst if worst["in_force"] else mixed
    assert present["promise_for"] == whom
    assert [one["in_force"] for one in (worst, mixed)].count(True) == 1
    for part in ("identify", "verify", "identify_false_rejections", "verify_false_rejections"):
        assert body[part] == present[part]
    for question, stated in (("identify", RISK.fpir), ("verify", RISK.fmr)):
        assert mixed[question]["threshold"] < worst[question]["threshold"]
        met = {one["population"]: one for one in mixed[question]["groups"]}
        assert met["everyone"]["upper"] == pytest.approx(stated, rel=1e-6)
        assert met["one group"]["rate"] > stated  # what it breaks
        assert all(one["upper"] <= stated * 1.001 for one in worst[question]["groups"])
        (paid,), (saved,) = (one[f"{question}_false_rejections"] for one in (worst, mixed))
        assert saved["rate"] < paid["rate"]
        assert saved["low"] < saved["rate"] < saved["high"]


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


def test_the_policy_gives_intervals_where_the_model_counts_people(
    make_app: Callable[..., FastAPI],
    open_house: Callable[..., House],  # noqa: F811
) -> None:
    bounded = ImpostorTail("everyone", ((0.1, 0.2), (1e-6, 0.9)), 1e-5, (0.2, 0.95))
    points = ((0.0, 0.1), (1.0, 0.9))
    genuine = (GenuineScores(1, points), GenuineScores(3, points, people=40))
    manifest = dataclasses.replace(MANIFEST, tails=(bounded,), genuine=genuine)
    house = open_house()
    policy = DecisionPolicy(RiskPolicy(manifest, RISK), house.index, 0.5, 0.5)
    with local_client(make_app(dataclasses.replace(house, policy=policy))) as client:
        body = client.get("/v1/policy").json()
    for question in ("identify", "verify"):
        assert body[question]["threshold_estimate"] < body[question]["threshold"]
        untold, told = body[f"{question}_false_rejections"]
        assert (untold["low"], untold["high"], untold["people"]) == (None, None, None)
        assert told["low"] < told["rate"] == untold["rate"] < told["high"]
        assert told["people"] == 40
