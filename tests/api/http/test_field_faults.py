"""Whoever sent a wrong field reads what is wrong in plain words, and in this service's own."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from app.api.http.field_faults import field_faults
from tests.api.requests import enroll, text
from tests.services.fakes import photo

PHOTO = text(photo("ann"))
PERSON = {"employee_id": "ann", "full_name": "Ann", "photos": [PHOTO]}


@pytest.mark.parametrize(
    ("path", "body", "detail"),
    [
        ("/v1/enroll", {"full_name": "Ann", "photos": [PHOTO]}, "employee_id: is missing"),
        ("/v1/enroll", PERSON | {"age": 7}, "age: is not a field of this request"),
        ("/v1/enroll", PERSON | {"full_name": 7}, "full_name: must be a text"),
        ("/v1/enroll", PERSON | {"full_name": " "}, "full_name: must not be empty"),
        (
            "/v1/enroll",
            PERSON | {"employee_id": "e" * 129},
            "employee_id: must have at most 128 characters",
        ),
        (
            "/v1/enroll",
            PERSON | {"employee_id": "a/b"},
            "employee_id: has characters or a form that are not allowed here",
        ),
        (
            "/v1/enroll",
            PERSON | {"confirm_distinct": "perhaps"},
            "confirm_distinct: must be true or false",
        ),
        ("/v1/enroll", PERSON | {"photos": "one"}, "photos: must be a list"),
        ("/v1/enroll", PERSON | {"photos": []}, "photos: must not be empty"),
        ("/v1/enroll", PERSON | {"photos": [PHOTO, 7]}, "photos.1: must be a text"),
        ("/v1/verify", {"frames": [PHOTO] * 6}, "frames: must have at most 5 entries"),
        ("/v1/verify", {}, "the body: send either photo or frames"),
        ("/v1/verify", [], "the body: must be an object of named values"),
        (
            "/v1/compare",
            {"first": PHOTO, "third": PHOTO},
            "second: is missing; third: is not a field of this request",
        ),
    ],
)
def test_a_wrong_body_is_told_by_field(
    client: TestClient, path: str, body: object, detail: str
) -> None:
    answer = client.post(path, json=body)
    assert (answer.status_code, answer.json()["detail"]) == (422, detail)


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("/v1/policy?fpir=0", "query.fpir: must be more than 0"),
        ("/v1/policy?fpir=0.5", "query.fpir: must be less than 0.5"),
        ("/v1/policy?fpir=much", "query.fpir: must be a number"),
        ("/v1/policy?people=1000001", "query.people: must be at most 1000000"),
        ("/v1/employees?limit=0", "query.limit: must be at least 1"),
        ("/v1/employees?limit=few", "query.limit: must be a whole number"),
    ],
)
def test_a_wrong_parameter_is_told_by_name(client: TestClient, path: str, detail: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.json()["detail"]) == (422, detail)
    assert answer.json()["fields"] == [detail]


def test_a_wrong_choice_is_told_the_right_ones(client: TestClient) -> None:
    enroll(client, "ann", photo("ann", 1))
    status = client.patch("/v1/employees/ann", json={"status": "retired"}).json()
    assert status["detail"] == "body.status: must be 'active' or 'suspended'"
    faces = client.post("/v1/verify?faces=all", json={"photo": PHOTO}).json()
    assert faces["detail"] == "query.faces: must be 'largest' or 'refuse'"


def test_a_body_that_is_no_json_is_told_so_by_every_route(client: TestClient) -> None:
    json = {"content-type": "application/json"}
    changed = client.patch("/v1/employees/ann", content=b"{", headers=json)
    assert changed.json()["detail"] == "body: is not valid JSON"
    verified = client.post("/v1/verify", content=b"{", headers=json)
    assert verified.json()["detail"] == "the body is not valid JSON"


def test_a_fault_without_words_of_its_own_is_told_without_the_input() -> None:
    unheard_of = {"type": "unheard_of", "loc": ("a", 0, "b"), "msg": "secret", "input": "secret"}
    assert field_faults([unheard_of]) == ["a.0.b: is not valid"]
