from __future__ import annotations

import unicodedata
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from tests.api.requests import ask, enroll, text
from tests.services.fakes import photo

NFC = "Jos\u00e9 \u00c5-1"
SPELLINGS = [NFC, unicodedata.normalize("NFD", NFC), f" {NFC.replace(' ', '  ')} "]
SPELLINGS += [NFC.replace(" ", "\u00a0")]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_one_employee_has_one_id_however_it_is_written(client: TestClient, spelling: str) -> None:
    made = enroll(client, spelling, photo("ann", 1), full_name="Zo\u00eb  M")
    assert made.json()["employee"]["employee_id"] == NFC
    assert made.json()["employee"]["full_name"] == "Zo\u00eb M"
    for other in SPELLINGS:
        path = f"/v1/employees/{quote(other)}"
        more = enroll(client, other, photo("ann", 2), full_name="Zoe\u0308 M")
        assert (more.status_code, more.json()["created"]) == (200, False)
        assert client.get(path).json()["employee_id"] == NFC
        assert ask(client, f"{path}/verify", photo("ann", 5)).json()["decision"] == "match"
        renamed = client.patch(path, json={"full_name": "Zoe\u0308   M"})
        assert renamed.json()["full_name"] == "Zo\u00eb M"
        photo_id = client.get(path).json()["photos"][0]["photo_id"]
        assert client.get(f"{path}/photos/{photo_id}").status_code == 200
    assert len(client.get("/v1/employees").json()["employees"]) == 1
    assert client.delete(f"/v1/employees/{quote(SPELLINGS[1])}").status_code == 204


@pytest.mark.parametrize("bad", [".", "..", " . ", "a\u200bb", "a\u202eb", "\ufeffa", "a\x7fb"])
def test_an_id_that_nobody_can_read_or_ask_for_is_refused(client: TestClient, bad: str) -> None:
    by_form = enroll(client, bad, photo("ann", 1), full_name="Ann")
    by_json = client.post(
        "/v1/enroll",
        json={"employee_id": bad, "full_name": "Ann", "photos": [text(photo("ann", 1))]},
    )
    for answer in (by_form, by_json):
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
        assert answer.json()["detail"].startswith("employee_id: ")


def test_a_name_that_reads_as_another_is_refused_everywhere(client: TestClient) -> None:
    assert enroll(client, "ann", photo("ann", 1), full_name="a\u202eb").status_code == 422
    enroll(client, "ann", photo("ann", 1))
    changed = client.patch("/v1/employees/ann", json={"full_name": "a\u2066b"})
    assert (changed.status_code, changed.json()["code"]) == (422, "invalid_request")


@pytest.mark.parametrize("card", ["", " ", "None", "null", "undefined"])
def test_no_card_is_said_alike_in_a_form_and_in_json(client: TestClient, card: str) -> None:
    by_form = enroll(client, "ann", photo("ann", 1), card_number=card)
    by_json = client.post(
        "/v1/enroll",
        json={"employee_id": "bob", "full_name": "Bob", "card_number": card}
        | {"photos": [text(photo("bob", 1))], "confirm_distinct": "None"},
    )
    for answer in (by_form, by_json):
        assert answer.status_code == 201, answer.text
        assert answer.json()["employee"]["card_number"] is None


def test_a_card_is_taken_away_by_nothing(client: TestClient) -> None:
    enroll(client, "ann", photo("ann", 1), card_number="c1")
    for nothing in ("", None):
        client.patch("/v1/employees/ann", json={"card_number": "c1"})
        cleared = client.patch("/v1/employees/ann", json={"card_number": nothing})
        assert cleared.json()["card_number"] is None
    for odd in ("None", "..", "a b"):
        assert client.patch("/v1/employees/ann", json={"card_number": odd}).status_code == 422


def test_employees_are_found_by_card_and_by_name(client: TestClient) -> None:
    enroll(client, "e1", photo("ann", 1), full_name="Zo\u00eb M\u00fcller", card_number="0004711")
    enroll(client, "e2", photo("bob", 1), full_name="Kim 50% Example", card_number="4711")
    enroll(client, "e3", photo("eve", 1), full_name="Zoran Example")

    def found(**query: str) -> list[str]:
        page = client.get("/v1/employees", params=query)
        assert page.status_code == 200, page.text
        return [one["employee_id"] for one in page.json()["employees"]]

    assert found(card_number="0004711") == ["e1"]
    assert found(card_number=" 4711 ") == ["e2"]
    assert found(card_number="11") == []
    assert found(name="MULLER zoe") == ["e1"]
    assert found(name="zo") == ["e1", "e3"]
    assert found(name="Zoe\u0308") == ["e1"]
    assert found(name="exam", card_number="4711") == ["e2"]
    assert found(name="%") == found(name="50%") == ["e2"]
    assert found(name="_") == found(name="\u0301") == []
    client.patch("/v1/employees/e3", json={"full_name": "Somebody Else"})
    assert found(name="zo") == ["e1"]
    for empty in ("card_number", "name"):
        assert client.get("/v1/employees", params={empty: " "}).status_code == 422


def test_pages_of_a_filtered_list_follow_the_cursor(client: TestClient) -> None:
    for number in range(6):
        name = "Odd" if number % 2 else "Even"
        enroll(client, f"e{number}", photo(f"p{number}"), full_name=f"{name} One")
    seen: list[str] = []
    query: dict[str, str | int] = {"name": "odd", "limit": 1}
    while True:
        page = client.get("/v1/employees", params=query).json()
        seen += [one["employee_id"] for one in page["employees"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert seen == ["e1", "e3", "e5"]
