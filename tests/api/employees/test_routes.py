from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from tests.api.requests import ask, enroll, enroll_team
from tests.services.fakes import photo


def test_an_employee_is_read_with_its_photos_and_no_picture(client: TestClient) -> None:
    enroll(client, "ann", photo("ann", 1), photo("ann", 2), card_number="c1")
    body = client.get("/v1/employees/ann").json()
    assert body["employee_id"] == "ann"
    assert body["status"] == "active"
    assert len(body["photos"]) == body["photo_count"] == 2
    record = body["photos"][0]
    assert client.get(f"/v1/employees/ann/photos/{record['photo_id']}").json() == record
    assert "embedding" not in str(body)


def test_pages_follow_the_cursor_to_the_end(client: TestClient) -> None:
    for number in range(5):
        enroll(client, f"e{number}", photo(f"p{number}"))
    seen: list[str] = []
    cursor: str | None = None
    while True:
        query: dict[str, str | int] = {"limit": 2}
        if cursor:
            query["cursor"] = cursor
        page = client.get("/v1/employees", params=query).json()
        seen += [employee["employee_id"] for employee in page["employees"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [f"e{number}" for number in range(5)]


@pytest.mark.parametrize("cursor", ["x", "###", "a2" * 40, "azE6LTU", "é"])
def test_a_foreign_cursor_is_a_problem(client: TestClient, cursor: str) -> None:
    answer = client.get("/v1/employees", params={"cursor": cursor})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_cursor")


def test_a_record_can_be_changed(client: TestClient) -> None:
    enroll(client, "ann", photo("ann", 1), card_number="c1")
    changed = client.patch("/v1/employees/ann", json={"full_name": "Ann Other"}).json()
    assert (changed["full_name"], changed["card_number"]) == ("Ann Other", "c1")
    cleared = client.patch("/v1/employees/ann", json={"card_number": None}).json()
    assert cleared["card_number"] is None
    assert client.patch("/v1/employees/ann", json={"nonsense": 1}).status_code == 422
    assert client.patch("/v1/employees/ann", json={"status": "gone"}).status_code == 422
    assert client.patch("/v1/employees/nobody", json={}).status_code == 404


def test_a_suspended_employee_is_unknown_at_once(client: TestClient) -> None:
    enroll_team(client)
    client.patch("/v1/employees/bob", json={"status": "suspended"})
    assert ask(client, "/v1/verify", photo("bob", 5)).json()["decision"] == "unknown"
    claim = ask(client, "/v1/employees/bob/verify", photo("bob", 5))
    assert (claim.status_code, claim.json()["code"]) == (409, "employee_suspended")
    client.patch("/v1/employees/bob", json={"status": "active"})
    assert ask(client, "/v1/verify", photo("bob", 5)).json()["decision"] == "known"


def test_a_deleted_employee_is_gone_at_once(client: TestClient) -> None:
    enroll_team(client)
    answer = client.delete("/v1/employees/bob")
    assert (answer.status_code, answer.content) == (204, b"")
    assert ask(client, "/v1/verify", photo("bob", 5)).json()["decision"] == "unknown"
    assert client.get("/v1/employees/bob").json()["code"] == "employee_not_found"
    assert client.delete("/v1/employees/bob").status_code == 404


def test_photos_are_deleted_one_by_one_but_for_the_last(client: TestClient) -> None:
    body = enroll(client, "ann", photo("ann", 1), photo("ann", 2)).json()
    first, second = (p["photo_id"] for p in body["photos"])
    assert client.delete(f"/v1/employees/ann/photos/{first}").status_code == 204
    gone = client.get(f"/v1/employees/ann/photos/{first}")
    assert (gone.status_code, gone.json()["code"]) == (404, "photo_not_found")
    last = client.delete(f"/v1/employees/ann/photos/{second}")
    assert (last.status_code, last.json()["code"]) == (409, "last_photo")
