"""The guards with the shipped model and real pictures of people who do not exist."""

from __future__ import annotations

from pathlib import Path

import httpx2

from training.data.invented_people import invented_people

PEOPLE = invented_people()


def enroll(
    http: httpx2.Client, employee_id: str, photos: list[Path], **fields: str
) -> httpx2.Response:
    return http.post(
        "/v1/enroll",
        data={"employee_id": employee_id, "full_name": f"Invented {employee_id}", **fields},
        files=[("photos", photo.read_bytes()) for photo in photos],
    )


def test_most_photos_of_somebody_else_are_found_and_no_right_one_is(http: httpx2.Client) -> None:
    """Not all: invented people were drawn towards each other, and the limit is equal evidence.

    A blend is smoother than a photo, so that one of theirs may be unrecognisable.
    """
    found, unread = 0, 0
    for person, other in zip(PEOPLE[:12], PEOPLE[12:], strict=True):
        answer = enroll(http, person.name, [person.photos[0], other.photos[0], *person.photos[1:]])
        assert answer.status_code == 201
        codes = [photo["code"] for photo in answer.json()["photos"]]
        right = codes[:1] + codes[2:]
        assert set(right) <= {None, "face_unrecognisable"}
        unread += right.count("face_unrecognisable")
        found += codes[1] == "photo_of_somebody_else"
    assert found >= 10
    assert unread <= 1


def test_a_person_is_not_enrolled_twice_unless_somebody_says_so(http: httpx2.Client) -> None:
    for person in PEOPLE:
        assert enroll(http, person.name, list(person.photos[:2])).status_code == 201
    person = PEOPLE[4]
    again = enroll(http, "again", list(person.photos[2:]))
    assert (again.status_code, again.json()["code"]) == (409, "face_already_enrolled")
    assert [one["employee_id"] for one in again.json()["candidates"]] == [person.name]
    confirmed = enroll(http, "again", list(person.photos[2:]), confirm_distinct="true")
    assert confirmed.json()["look_alikes"] == [person.name]
    assert http.get(f"/v1/employees/{person.name}").json()["look_alikes"] == ["again"]
