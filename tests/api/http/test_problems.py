from __future__ import annotations

import errno
import logging
from collections.abc import Callable

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from starlette.types import Message

from app.api.http.problems import PROBLEMS, kind_of
from app.domain import errors
from tests.api.exchange import ask_below_http, local_client


@pytest.mark.parametrize(
    ("fault", "status", "code", "retry_after"),
    [
        (errors.RegistryFullError("x"), 503, "registry_full", "60"),
        (errors.RegistryReadOnlyError("x"), 503, "registry_read_only", None),
        (errors.RegistryDamagedError("x"), 503, "registry_damaged", None),
        (errors.RegistryInputOutputError("x"), 503, "registry_io_error", "30"),
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
