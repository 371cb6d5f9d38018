from __future__ import annotations

import pytest

from app.domain import errors, photo_errors
from app.services.enrollment import EnrollmentRequest, EnrollmentResult, Upload
from tests.services.conftest import House
from tests.services.fakes import photo


def enroll(
    house: House, employee_id: str, *photos: Upload, name: str = "A Name", card: str | None = None
) -> EnrollmentResult:
    return house.enrollment.enroll(EnrollmentRequest(employee_id, name, card, photos))


def test_a_new_employee_is_created_and_found_at_once(house: House) -> None:
    result = enroll(house, "e1", photo("ann", 1), photo("ann", 2))
    assert result.created
    assert result.employee.photo_count == 2
    assert house.index.size == 1
    assert house.gallery.is_current()


def test_more_photos_extend_an_employee(house: House) -> None:
    enroll(house, "e1", photo("ann", 1), card="c1")
    result = enroll(house, "e1", photo("ann", 2), photo("ann", 3))
    assert not result.created
    assert result.employee.photo_count == 3
    assert result.employee.card_number == "c1"
    assert house.index.size == 1


def test_partial_success_names_each_photo(house: House) -> None:
    result = enroll(
        house,
        "e1",
        photo("ann", 1),
        b"garbage",
        photo("ann", 2, faces=2),
        photo("ann", 3, faces=0),
        photo("ann", 4, size_pixels=9),
        photo("ann", 5),
        photo_errors.PhotoTooManyBytesError("a photo may have 7 bytes"),
    )
    assert [one.position for one in result.enrolled] == [0, 5]
    assert [(f.position, f.code) for f in result.failures] == [
        (1, "photo_undecodable"),
        (2, "several_faces"),
        (3, "no_face"),
        (4, "face_too_small"),
        (6, "photo_too_many_bytes"),
    ]
    assert result.employee.photo_count == 2


def test_nothing_is_stored_where_no_photo_is_usable(house: House) -> None:
    with pytest.raises(photo_errors.NoUsablePhotoError) as raised:
        enroll(house, "e1", b"garbage", photo("ann", 1, faces=0))
    assert [failure.code for failure in raised.value.failures] == ["photo_undecodable", "no_face"]
    assert house.employees.page(0, 10).employees == []
    assert house.index.size == 0


def test_another_name_under_the_same_id_is_a_conflict(house: House) -> None:
    enroll(house, "e1", photo("ann", 1))
    with pytest.raises(errors.EmployeeConflictError, match="another name"):
        enroll(house, "e1", photo("bob", 1), name="Another Name")
    assert house.employees.read("e1")[0].photo_count == 1


def test_a_card_belongs_to_one_employee(house: House) -> None:
    enroll(house, "e1", photo("ann", 1), card="c1")
    with pytest.raises(errors.EmployeeConflictError):
        enroll(house, "e2", photo("bob", 1), card="c1")
    assert house.index.size == 1
    with pytest.raises(errors.EmployeeConflictError, match="another card"):
        enroll(house, "e1", photo("ann", 2), card="c2")


def test_a_card_can_be_given_later(house: House) -> None:
    enroll(house, "e1", photo("ann", 1))
    assert enroll(house, "e1", photo("ann", 2), card="c9").employee.card_number == "c9"


@pytest.mark.parametrize("count", [0, 21])
def test_a_request_takes_one_to_twenty_photos(house: House, count: int) -> None:
    with pytest.raises(photo_errors.TooManyPhotosError):
        enroll(house, "e1", *[photo("ann", n) for n in range(count)])


def test_an_employee_keeps_a_bounded_number_of_photos(house: House) -> None:
    enroll(house, "e1", *[photo("ann", n) for n in range(20)])
    with pytest.raises(photo_errors.TooManyPhotosError):
        enroll(house, "e1", *[photo("ann", n) for n in range(20, 31)])
    assert house.employees.read("e1")[0].photo_count == 20
