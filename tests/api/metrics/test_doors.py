from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from starlette.testclient import TestClient

from app.api.metrics.doors import DoorMetrics
from tests.api.requests import ask, enroll_team
from tests.services.fakes import QUALITY, photo


def verify(client: TestClient, door: str | None, content: bytes) -> int:
    headers = {} if door is None else {"x-door": door}
    return client.post("/v1/verify", files={"photo": content}, headers=headers).status_code


def test_each_door_counts_its_verdicts_similarities_and_quality(client: TestClient) -> None:
    enroll_team(client)
    assert verify(client, "north", photo("bob", 5)) == 200
    assert verify(client, "north", photo("stranger", 1, brightness=60)) == 200
    assert verify(client, None, photo("bob", 6)) == 200
    exposed = client.get("/metrics").text
    for line in (
        'facegate_door_verdicts_total{decision="known",door="north",question="verify"} 1.0',
        'facegate_door_verdicts_total{decision="unknown",door="north",question="verify"} 1.0',
        'facegate_door_verdicts_total{decision="known",door="unnamed",question="verify"} 1.0',
        'facegate_door_similarity_count{decision="known",door="north"} 1.0',
        'facegate_door_brightness_bucket{door="north",le="60.0"} 1.0',
        'facegate_door_brightness_count{door="north"} 2.0',
        'facegate_door_face_pixels_count{door="north"} 2.0',
        'facegate_door_sharpness_count{door="unnamed"} 1.0',
    ):
        assert line in exposed
    assert "bob" not in exposed


def test_claims_and_rankings_count_for_their_door_too(client: TestClient) -> None:
    enroll_team(client)
    for path in ("/v1/employees/bob/verify", "/v1/identify"):
        answer = client.post(
            path, files={"photo": photo("bob", 5)}, headers={"x-door": "south.gate-2"}
        )
        assert answer.status_code == 200
    exposed = client.get("/metrics").text
    name = "facegate_door_verdicts_total"
    assert f'{name}{{decision="match",door="south.gate-2",question="claim"}} 1.0' in exposed
    assert f'{name}{{decision="known",door="south.gate-2",question="identify"}} 1.0' in exposed


def test_a_photo_that_cannot_be_used_is_counted_for_its_door(client: TestClient) -> None:
    assert verify(client, "north", photo("bob", 1, faces=0)) == 422
    assert verify(client, "north", photo("bob", 1, clipped_shadows=0.9)) == 422
    exposed = client.get("/metrics").text
    name = "facegate_door_refused_photos_total"
    assert f'{name}{{code="no_face",door="north"}} 1.0' in exposed
    assert f'{name}{{code="face_too_dark",door="north"}} 1.0' in exposed


def test_attempts_begin_at_none() -> None:
    registry = CollectorRegistry()
    doors = DoorMetrics(registry)
    doors.saw("north", "verify", "known", 0.8, QUALITY)
    exposed = generate_latest(registry).decode()
    for door in ("unnamed", "other", "north"):
        name = "facegate_door_refused_attempts_total"
        assert f'{name}{{code="liveness_failed",door="{door}"}} 0.0' in exposed


@pytest.mark.parametrize("door", ["a" * 33, "north gate", "x;y", "north/1"])
def test_a_name_that_is_no_door_is_refused(client: TestClient, door: str) -> None:
    answer = client.post("/v1/verify", files={"photo": photo("bob")}, headers={"x-door": door})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert door not in client.get("/metrics").text


def test_doors_beyond_the_last_one_are_counted_together() -> None:
    registry = CollectorRegistry()
    doors = DoorMetrics(registry, max_doors=2)
    for number in range(5):
        doors.saw(f"door-{number}", "verify", "known", 0.8, QUALITY)
    doors.saw("door-0", "verify", "known", None, QUALITY)
    doors.refused_photo("door-4", "no_face")
    exposed = generate_latest(registry).decode()
    name = "facegate_door_verdicts_total"
    assert f'{name}{{decision="known",door="door-0",question="verify"}} 2.0' in exposed
    assert f'{name}{{decision="known",door="other",question="verify"}} 3.0' in exposed
    assert 'facegate_door_refused_photos_total{code="no_face",door="other"} 1.0' in exposed
    assert "door-2" not in exposed


def test_an_unnamed_request_is_answered_as_before(client: TestClient) -> None:
    enroll_team(client)
    assert ask(client, "/v1/verify", photo("bob", 5)).json()["decision"] == "known"
