from __future__ import annotations

from collections.abc import Callable

import pytest
from fastapi import FastAPI
from httpx2 import Response
from starlette.testclient import TestClient

from app.domain.challenges import Instruction
from app.services.challenges import Challenges, NoLiveness
from tests.api.exchange import local_client
from tests.api.requests import enroll_team
from tests.services.conftest import House, open_house  # noqa: F401  a fixture
from tests.services.fakes import photo

PATHS = ["/v1/verify", "/v1/identify", "/v1/employees/ann/verify"]


def send(client: TestClient, path: str, *frames: bytes, **fields: str) -> Response:
    files = [("frames", ("frame.jpg", frame)) for frame in frames]
    return client.post(path, files=files, data=fields)


def test_without_a_check_there_are_no_challenges(client: TestClient) -> None:
    asked = client.post("/v1/challenges")
    answered = send(client, "/v1/verify", photo("ann", 5), challenge_id="any")
    for answer in (asked, answered):
        assert (answer.status_code, answer.json()["code"]) == (409, "challenges_off")


@pytest.mark.parametrize("path", PATHS)
def test_a_policy_that_nothing_can_satisfy_decides_nothing(
    make_app: Callable[..., FastAPI],
    open_house: Callable[..., House],  # noqa: F811
    path: str,
) -> None:
    house = open_house(liveness=NoLiveness(required=True))
    with local_client(make_app(house)) as client:
        enroll_team(client)
        answer = send(client, path, photo("ann", 5))
    assert (answer.status_code, answer.json()["code"]) == (503, "liveness_not_configured")


def test_a_challenge_is_given_and_answered(
    make_app: Callable[..., FastAPI],
    open_house: Callable[..., House],  # noqa: F811
) -> None:
    house = open_house(liveness=Challenges(True, lambda: 0.0))
    with local_client(make_app(house)) as client:
        enroll_team(client)
        bare = send(client, "/v1/verify", photo("ann", 5))
        assert (bare.status_code, bare.json()["code"]) == (428, "liveness_required")
        given = client.post("/v1/challenges")
        assert given.status_code == 201
        assert given.json()["expires_in_seconds"] == 30
        yaws = {Instruction.TURN_LEFT: 35, Instruction.TURN_RIGHT: -35}
        frames = [
            photo("ann", shot, yaw_degrees=yaws.get(look, 0))
            for shot, look in enumerate(given.json()["instructions"])
        ]
        name = given.json()["challenge_id"]
        passed = send(client, "/v1/verify", *frames, challenge_id=name)
        assert (passed.status_code, passed.json()["liveness"]) == (200, "passed")
        assert passed.json()["decision"] == "known"
        spent = send(client, "/v1/verify", *frames, challenge_id=name)
        assert (spent.status_code, spent.json()["code"]) == (404, "challenge_unknown")
        name = client.post("/v1/challenges").json()["challenge_id"]
        still = send(client, "/v1/verify", *[photo("ann", 1)] * 4, challenge_id=name)
        assert (still.status_code, still.json()["code"]) == (422, "liveness_failed")
        exposed = client.get("/metrics").text
    for code in ("liveness_required", "challenge_unknown", "liveness_failed"):
        name = "facegate_door_refused_attempts_total"
        assert f'{name}{{code="{code}",door="unnamed"}} 1.0' in exposed
