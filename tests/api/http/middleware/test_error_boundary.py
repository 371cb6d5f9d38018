from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from tests.api.exchange import local_client


def test_an_unexpected_error_is_a_bare_500(
    make_app: Callable[..., FastAPI], caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app()

    @app.get("/boom")
    def boom() -> None:
        raise RuntimeError("secret inner text")

    with local_client(app) as client:
        answer = client.get("/boom")
    assert answer.status_code == 500
    assert answer.json()["code"] == "internal"
    assert "secret" not in answer.text
    assert answer.json()["request_id"] == answer.headers["x-request-id"] != ""
    (record,) = [one for one in caplog.records if one.levelno >= logging.ERROR]
    assert record.exc_info is not None
    assert "secret inner text" in str(record.exc_info[1])


def test_an_unexpected_error_is_counted_under_its_route(make_app: Callable[..., FastAPI]) -> None:
    app = make_app()

    @app.get("/boom")
    def boom() -> None:
        raise RuntimeError

    with local_client(app) as client:
        client.get("/boom")
        assert 'method="GET",route="/boom",status="500"' in client.get("/metrics").text


def test_an_error_in_the_middle_of_an_answer_ends_the_connection(
    make_app: Callable[..., FastAPI],
) -> None:
    app = make_app()

    def half() -> Iterator[bytes]:
        yield b"half"
        raise RuntimeError("the other half")

    @app.get("/half")
    def stream() -> StreamingResponse:
        return StreamingResponse(half())

    with local_client(app) as client, pytest.raises(RuntimeError, match="the other half"):
        client.get("/half")
