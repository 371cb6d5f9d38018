from __future__ import annotations

import errno
import logging
import re
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from starlette.testclient import TestClient
from starlette.types import Message

from app.api.problems import PROBLEMS, kind_of
from app.domain import errors, storage_errors
from tests.api.exchange import ask_below_http, local_client
from tests.api.test_recognition_routes import ask, enroll_team
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


def test_a_request_id_is_the_callers_where_it_is_sane(client: TestClient) -> None:
    assert (
        client.get("/healthz", headers={"x-request-id": "door-7"}).headers["x-request-id"]
        == "door-7"
    )
    other = client.get("/healthz", headers={"x-request-id": "a b\tc"}).headers["x-request-id"]
    assert len(other) == 32


def test_a_key_guards_everything_but_health(make_app: Callable[..., FastAPI]) -> None:
    with local_client(make_app(api_key=KEY)) as client:
        for path in ("/v1/employees", "/v1/model"):
            refused = client.get(path)
            assert (refused.status_code, refused.json()["code"]) == (401, "unauthenticated")
            assert client.get(path, headers={"x-api-key": "wrong"}).status_code == 401
            foreign = {b"x-api-key": "wröng".encode()}
            assert client.get(path, headers=foreign).status_code == 401
            assert client.get(path, headers={"x-api-key": KEY}).status_code == 200
            bearer = {"Authorization": f"Bearer {KEY}"}
            assert client.get(path, headers=bearer).status_code == 200
        assert client.post("/v1/verify", files={"photo": b"x"}).status_code == 401
        assert client.get("/healthz").status_code == 200
        assert client.get("/readyz").status_code == 200


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


def test_an_upload_that_finds_no_room_is_a_503_with_its_code(
    make_app: Callable[..., FastAPI], tmp_path: Path
) -> None:
    """What is larger than a megabyte waits in a temporary file."""
    before = tempfile.tempdir
    with local_client(make_app(max_request_bytes=3_000_000)) as client:
        tempfile.tempdir = str(tmp_path / "gone")
        try:
            answer = client.post("/v1/verify", files={"photo": bytes(2_000_000)})
        finally:
            tempfile.tempdir = before
    assert (answer.status_code, answer.json()["code"]) == (503, "temporary_storage")
    assert answer.headers["retry-after"] == "60"


@pytest.mark.parametrize(
    ("fault", "status", "code", "retry_after"),
    [
        (storage_errors.RegistryFullError("x"), 503, "registry_full", "60"),
        (storage_errors.RegistryReadOnlyError("x"), 503, "registry_read_only", None),
        (storage_errors.RegistryDamagedError("x"), 503, "registry_damaged", None),
        (storage_errors.RegistryInputOutputError("x"), 503, "registry_io_error", "30"),
        (errors.RegistryUnavailableError("x"), 503, "registry_unavailable", "5"),
        (OSError(errno.ENOSPC, "No space left on device"), 503, "temporary_storage", "60"),
        (OSError(errno.EMFILE, "Too many open files"), 503, "temporary_storage", "60"),
        (FileNotFoundError(errno.ENOENT, "gone"), 500, "internal", None),
    ],
)
def test_storage_faults_have_codes_and_say_whether_to_come_back(
    make_app: Callable[..., FastAPI],
    fault: Exception,
    status: int,
    code: str,
    retry_after: str | None,
) -> None:
    app = make_app()

    @app.get("/faulty")
    def faulty() -> None:
        raise fault

    with local_client(app) as client:
        answer = client.get("/faulty")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers.get("retry-after") == retry_after


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
    assert answer.json()["request_id"] in record.getMessage()
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


def test_a_caller_who_hangs_up_is_no_failure_of_the_service(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    async def gone() -> Message:
        return {"type": "http.disconnect"}

    for kind in ("application/json", "multipart/form-data; boundary=x"):
        answer = ask_below_http(client, "POST", "/v1/verify", {"content-type": kind}, gone)
        assert answer.status == 400
    assert not [one for one in caplog.records if one.levelno >= logging.ERROR]


def _all_errors(root: type[errors.FacegateError]) -> set[type[errors.FacegateError]]:
    return {root}.union(*(_all_errors(child) for child in root.__subclasses__()))


def test_every_domain_error_is_mapped_by_name() -> None:
    assert _all_errors(errors.FacegateError) == set(PROBLEMS)
    codes = [error.code for error in PROBLEMS]
    assert len(codes) == len(set(codes))
    assert all(kind_of(error.__new__(error)).code == error.code for error in PROBLEMS)


def test_a_busy_service_says_when_to_come_back(make_app: Callable[..., FastAPI]) -> None:
    app = make_app()

    @app.get("/crowded")
    def crowded() -> None:
        raise errors.BusyError(retry_after_seconds=7)

    with local_client(app) as client:
        answer = client.get("/crowded")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")
    assert answer.json()["code"] == "busy"


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
def test_documentation_needs_no_other_host(client: TestClient, page: str) -> None:
    html = client.get(page).text
    assets = re.findall(r'(?:src|href)="([^"]+)"', html)
    assert assets
    for asset in assets:
        assert asset.startswith("/"), asset
        assert client.get(asset).status_code == 200


def test_the_bare_address_leads_to_the_documentation(client: TestClient) -> None:
    answer = client.get("/", follow_redirects=True)
    assert answer.status_code == 200
    assert answer.url.path == "/docs"
    assert "/" not in client.get("/openapi.json").json()["paths"]
