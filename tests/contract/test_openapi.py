"""The service keeps what its own OpenAPI document promises, whatever it is sent."""

from __future__ import annotations

from typing import Any

import httpx2
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import positive_data_acceptance

from app.api.http.problems import (
    FOREIGN_ORIGIN,
    MEDIA_TYPE,
    PROBLEMS,
    UNAUTHENTICATED,
    UPLOAD_PROBLEMS,
)
from tests.contract.conftest import KEY

OPERATIONS = 23
PHOTO_ROUTES = 8


def test_every_answer_is_as_documented(base_url: str) -> None:
    schema = schemathesis.openapi.from_url(f"{base_url}/openapi.json")
    operations = list(schema.get_all_operations())
    assert len(operations) == OPERATIONS
    for operation in operations:
        assert isinstance(operation, Ok), operation
        _hold_to_its_word(operation.ok())


def _hold_to_its_word(operation: APIOperation[Any, Any, Any, Any]) -> None:
    @given(case=operation.as_strategy())
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    def check(case: schemathesis.Case[Any]) -> None:
        # A well-formed request may still carry a picture of nobody: that is a 422.
        case.call_and_validate(
            headers={"x-api-key": KEY}, excluded_checks=[positive_data_acceptance]
        )

    check()


def test_every_problem_that_callers_can_meet_stands_in_the_document(base_url: str) -> None:
    document = httpx2.get(f"{base_url}/openapi.json").text
    missing = [
        kind.code for kind in PROBLEMS.values() if kind.status < 500 and kind.code not in document
    ]
    assert missing == ["photo_unusable", "attempt_refused"]  # base classes, never raised themselves


def test_faults_of_a_body_stand_with_every_route_that_takes_photos(base_url: str) -> None:
    paths = httpx2.get(f"{base_url}/openapi.json").json()["paths"]
    routes = [
        operation
        for path in paths.values()
        for operation in path.values()
        if "multipart/form-data" in operation.get("requestBody", {}).get("content", {})
    ]
    assert len(routes) == PHOTO_ROUTES
    for route in routes:
        documented = {
            (int(status), code)
            for status, answer in route["responses"].items()
            for code in answer["content"].get(MEDIA_TYPE, {}).get("examples", {})
        }
        expected = {(kind.status, kind.code) for kind in (*UPLOAD_PROBLEMS, UNAUTHENTICATED)}
        assert expected | {(503, "busy")} <= documented


def test_every_route_documents_that_pages_of_other_sites_are_refused(base_url: str) -> None:
    paths = httpx2.get(f"{base_url}/openapi.json").json()["paths"]
    operations = [operation for path in paths.values() for operation in path.values()]
    assert len(operations) == OPERATIONS
    for operation in operations:
        examples = operation["responses"]["403"]["content"][MEDIA_TYPE]["examples"]
        assert FOREIGN_ORIGIN.code in examples


def test_the_limits_are_named(base_url: str) -> None:
    description = httpx2.get(f"{base_url}/openapi.json").json()["info"]["description"]
    assert "10,000,000 bytes and 40,000,000 pixels" in description
    assert "20,000 bytes, base64 included" in description


def test_every_kind_of_body_is_documented(base_url: str) -> None:
    paths = httpx2.get(f"{base_url}/openapi.json").json()["paths"]
    for path in ("/v1/enroll", "/v1/verify", "/v1/identify", "/v1/compare"):
        content = paths[path]["post"]["requestBody"]["content"]
        alone = {"image/*"} if path in ("/v1/verify", "/v1/identify") else set()
        assert set(content) == {"multipart/form-data", "application/json"} | alone
    photos = paths["/v1/enroll"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert photos["properties"]["photos"]["items"]["format"] == "binary"
