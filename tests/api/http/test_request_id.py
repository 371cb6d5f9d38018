from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.server.serve import log_handler
from tests.api.exchange import local_client

logger = logging.getLogger(__name__)


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the service writes to stderr from here on."""
    written = io.StringIO()
    handler = log_handler(written)
    logging.getLogger().addHandler(handler)
    yield written
    logging.getLogger().removeHandler(handler)


@pytest.mark.parametrize("given", ["door-7", "A.b_9", "x" * 64])
def test_a_request_id_is_the_callers_where_it_is_sane(client: TestClient, given: str) -> None:
    answer = client.get("/healthz", headers={"x-request-id": given})
    assert answer.headers.get_list("x-request-id") == [given]
    missing = client.get("/v1/employees/nobody", headers={"x-request-id": given})
    assert missing.json()["request_id"] == given


@pytest.mark.parametrize("given", [None, "", "a b\tc", "x" * 65, "ann@example.org", "1\u00e9"])
def test_any_other_is_made_anew_and_leaves_no_line_in_the_log(
    client: TestClient, log: io.StringIO, given: str | None
) -> None:
    headers = {} if given is None else {b"x-request-id": given.encode()}
    answer = client.get("/v1/employees/nobody", headers=headers)
    (made,) = answer.headers.get_list("x-request-id")
    assert len(made) == 32
    assert answer.json()["request_id"] == made
    again = client.get("/v1/employees/nobody", headers=headers).headers["x-request-id"]
    assert again != made
    assert "request" not in log.getvalue()


def test_every_line_of_the_log_has_the_id_of_its_request(
    make_app: Callable[..., FastAPI], log: io.StringIO
) -> None:
    app = make_app()

    @app.get("/talking")
    def talking() -> None:  # in a thread of the pool
        logger.error("one thing")
        logger.error("quite another")
        raise RuntimeError("secret inner text")

    with local_client(app) as client:
        for given in ("door-7", "door-8"):
            assert client.get("/talking", headers={"x-request-id": given}).status_code == 500
            logger.error("of no request, after %s", given)
    lines = [line for line in log.getvalue().splitlines() if " ERROR " in line]
    said = [line.split(" ERROR ")[1] for line in lines]
    assert said[:4] == [
        f"{__name__} door-7 one thing",
        f"{__name__} door-7 quite another",
        "app.api.http.problems door-7 the request failed",
        f"{__name__} - of no request, after door-7",
    ]
    # Those of the second request are of the same kinds within a second.
    assert len(said) == 4
