from __future__ import annotations

import json
import threading
from collections.abc import Callable

import anyio
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from starlette.types import Message

from app.api.http.middleware.body import Patience
from app.domain.faces import Picture
from app.services.admission import Admission
from tests.api.exchange import (
    Answer,
    Receive,
    ask_below_http,
    chunks,
    exchange,
    local_client,
    unreadable,
)
from tests.api.requests import ask, text
from tests.services.conftest import House
from tests.services.fakes import FakeVision, photo

JSON = {"content-type": "application/json"}
BODY = json.dumps({"photo": text(photo("ann"))}).encode()
PHOTO_ROUTES = ["/v1/enroll", "/v1/verify", "/v1/identify", "/v1/compare", "/v1/employees/a/verify"]


class HeldVision(FakeVision):
    """Sees nothing while it may not."""

    def __init__(self) -> None:
        self.may_see = threading.Event()
        self.may_see.set()

    def decode(self, content: bytes) -> Picture:
        assert self.may_see.wait(30)
        return super().decode(content)


def with_a_crowd(
    client: TestClient, crowd: list[Receive], then: Callable[[], None]
) -> tuple[list[Answer], list[Answer], list[Answer]]:
    """Return how a crowd of verifications, those after it, and all other questions are answered.

    The latter two are asked when the whole crowd has begun; ``then`` lets the crowd go on.
    """
    begun = 0
    answers: list[Answer] = []

    async def one(receive: Receive) -> None:
        async def begin() -> Message:
            nonlocal begun
            begun += 1
            return await receive()

        answers.append(await exchange(client, "POST", "/v1/verify", JSON, begin))

    async def run() -> tuple[list[Answer], list[Answer]]:
        async with anyio.create_task_group() as group:
            for receive in crowd:
                group.start_soon(one, receive)
            with anyio.fail_after(20):
                while begun < len(crowd):
                    await anyio.sleep(0.01)
                late = [await exchange(client, "POST", p, JSON, unreadable) for p in PHOTO_ROUTES]
                others = [
                    await exchange(client, "GET", path, {}, unreadable)
                    for path in ("/healthz", "/metrics", "/v1/model", "/v1/employees", "/nowhere")
                ]
            then()
        return late, others

    assert client.portal is not None
    late, others = client.portal.call(run)
    return answers, late, others


def assert_only_photos_were_refused(late: list[Answer], others: list[Answer]) -> None:
    for answer in late:
        assert (answer.status, answer.json()["code"]) == (503, "busy")
        assert int(answer.headers["retry-after"]) >= 1
        assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert [answer.status for answer in others] == [200, 200, 200, 200, 404]


def test_more_photos_than_places_are_refused_unread_and_nobody_else_waits(
    make_app: Callable[..., FastAPI], open_house: Callable[..., House]
) -> None:
    vision = HeldVision()
    house = open_house(vision, Admission(40, 20, 30.0))  # more than the pool's own 40 threads
    with local_client(make_app(house)) as client:
        vision.may_see.clear()
        crowd = [chunks(BODY) for _ in range(60)]
        answers, late, others = with_a_crowd(client, crowd, vision.may_see.set)
        assert_only_photos_were_refused(late, others)
        assert [answer.status for answer in answers] == [200] * 60
        assert ask(client, "/v1/verify", photo("ann")).status_code == 200


def test_an_upload_has_its_place_before_it_is_read(client: TestClient) -> None:
    rest = anyio.Event()

    def slow() -> Receive:
        parts = chunks(BODY[:20], BODY[20:])
        first = True

        async def receive() -> Message:
            nonlocal first
            if not first:
                await rest.wait()
            first = False
            return await parts()

        return receive

    answers, late, others = with_a_crowd(client, [slow() for _ in range(10)], rest.set)
    assert_only_photos_were_refused(late, others)
    assert [answer.status for answer in answers] == [200] * 10


@pytest.mark.parametrize("announced", [True, False])
def test_bodies_together_are_bounded(
    make_app: Callable[..., FastAPI], open_house: Callable[..., House], announced: bool
) -> None:
    admission = Admission(2, 8, 5.0, max_bytes=1_000)
    with (
        local_client(make_app(open_house(admission=admission))) as client,
        admission.slot() as held,
    ):
        held.hold(900)
        headers = JSON | ({"content-length": "200"} if announced else {})
        receive = unreadable if announced else chunks(b" " * 50, b" " * 150)
        answer = ask_below_http(client, "POST", "/v1/verify", headers, receive)
        assert (answer.status, answer.json()["code"]) == (503, "busy")
        refused = 'method="POST",route="/v1/verify",status="503"'
        assert refused in client.get("/metrics").text
        assert ask_below_http(client, "POST", "/v1/verify", JSON, chunks(BODY)).status == 200


def test_a_body_that_does_not_come_loses_its_place(make_app: Callable[..., FastAPI]) -> None:
    async def never() -> Message:
        await anyio.sleep_forever()
        return {"type": "http.disconnect"}

    with local_client(make_app(patience=Patience(0.02, 1e9))) as client:
        for _ in range(12):  # more than there are slots
            answer = ask_below_http(client, "POST", "/v1/verify", JSON, never)
            assert (answer.status, answer.json()["code"]) == (408, "request_too_slow")
            assert answer.headers["connection"] == "close"
        assert ask_below_http(client, "POST", "/v1/verify", JSON, chunks(BODY)).status == 200
