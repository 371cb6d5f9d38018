"""The same photo again, and photos that take the place of others."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from app.domain import errors, photo_errors
from app.domain.faces import Picture
from app.services.admission import Admission
from app.services.enrollment import EnrollmentRequest, EnrollmentResult
from app.services.extraction import FaceExtraction
from tests.services.conftest import House, make_enrollment
from tests.services.fakes import FakeEmbedder, FakeVision, photo
from tests.services.test_enrollment import enroll
from tests.services.test_enrollment_guards import enroll_confirmed
from tests.services.test_recognition import identify


def positions(result: EnrollmentResult) -> tuple[list[int], list[int], list[int]]:
    """Return the positions of what was enrolled, repeated and refused."""
    enrolled = [one.position for one in result.enrolled]
    repeated = [one.position for one in result.repeated]
    return enrolled, repeated, [one.position for one in result.failures]


def photo_ids(house: House, employee_id: str) -> list[str]:
    return [one.photo_id for one in house.employees.read(employee_id)[1]]


def test_the_same_request_again_changes_nothing(house: House) -> None:
    photos = [photo("ann", 1), photo("ann", 2)]
    first = enroll(house, "ann", *photos, card="c1")
    revision = house.index.revision
    again = enroll(house, "ann", *photos, card="c1")
    assert (first.created, again.created) == (True, False)
    assert positions(again) == ([], [0, 1], [])
    assert [one.photo_id for one in again.repeated] == photo_ids(house, "ann")
    assert again.employee == first.employee
    assert house.index.revision == revision
    assert house.gallery.is_current()


def test_a_repeated_photo_raises_no_threshold(house: House) -> None:
    enroll(house, "ann", photo("ann", 1))
    asked = identify(house, photo("ann", 9)).threshold
    for _ in range(3):
        assert positions(enroll(house, "ann", photo("ann", 1))) == ([], [0], [])
    assert identify(house, photo("ann", 9)).threshold == asked
    assert positions(enroll(house, "ann", photo("ann", 1), photo("ann", 2))) == ([1], [0], [])


def test_the_same_photo_of_another_pose_or_light_is_another_photo(house: House) -> None:
    """The fakes' embedding of a shot is the same, whatever else is measured of it."""
    enroll(house, "ann", photo("ann", 1))
    for facts in ({"yaw_degrees": 20.0}, {"pitch_degrees": -15.0}, {"brightness": 160.0}):
        assert positions(enroll(house, "ann", photo("ann", 1, **facts))) == ([0], [], [])
    encoded_anew = photo("ann", 1, yaw_degrees=2, size_pixels=90, sharpness=300, roll_degrees=90)
    assert positions(enroll(house, "ann", encoded_anew)) == ([], [0], [])


def test_a_photo_that_stands_twice_in_a_request_is_one(house: House) -> None:
    result = enroll(house, "ann", photo("ann", 1), photo("ann", 1), photo("ann", 2))
    assert positions(result) == ([0, 2], [1], [])
    assert result.repeated[0].photo_id == result.enrolled[0].photo.photo_id
    assert result.employee.photo_count == 2


def test_copies_are_no_majority(house: House) -> None:
    """Three copies of a wrong photo do not make the right one the odd one out."""
    with pytest.raises(photo_errors.NoUsablePhotoError) as raised:
        enroll(house, "ann", photo("bob", 1), photo("bob", 1), photo("bob", 1), photo("ann", 1))
    assert [(f.position, f.code) for f in raised.value.failures] == [
        (place, "photos_disagree") for place in range(4)
    ]


def test_repeated_photos_stand_beside_bad_ones(house: House) -> None:
    enroll(house, "ann", photo("ann", 1))
    result = enroll(house, "ann", b"garbage", photo("ann", 1), photo("bob", 1), photo("ann", 2))
    assert positions(result) == ([3], [1], [0, 2])
    only = enroll(house, "ann", b"garbage", photo("ann", 1))
    assert positions(only) == ([], [1], [0])


def test_repeated_photos_do_not_fill_an_employee_up(house: House) -> None:
    shots = [photo("ann", n) for n in range(20)]
    enroll(house, "ann", *shots)
    enroll(house, "ann", *[photo("ann", n) for n in range(20, 30)])
    assert len(enroll(house, "ann", *shots).repeated) == 20


def test_a_card_may_come_with_photos_that_are_there(house: House) -> None:
    enroll(house, "ann", photo("ann", 1))
    assert enroll(house, "ann", photo("ann", 1), card="c1").employee.card_number == "c1"
    assert house.employees.read("ann")[0].card_number == "c1"


def test_the_only_photo_a_wrong_one_is_replaced_in_one_step(house: House) -> None:
    enroll(house, "ann", photo("bob", 1))
    (wrong,) = photo_ids(house, "ann")
    house.enrollment.replace_photo("ann", wrong, photo("ann", 1))
    assert photo_ids(house, "ann") == [wrong]
    known = identify(house, photo("ann", 2)).known
    assert known is not None
    assert known.employee.employee_id == "ann"
    assert identify(house, photo("bob", 2)).known is None
    assert house.gallery.is_current()


def test_a_replacement_must_agree_with_the_photos_that_stay(house: House) -> None:
    enroll(house, "ann", photo("ann", 1), photo("ann", 2))
    first, second = photo_ids(house, "ann")
    with pytest.raises(photo_errors.PhotoOfSomebodyElseError):
        house.enrollment.replace_photo("ann", first, photo("bob", 1))
    with pytest.raises(photo_errors.PhotoAlreadyEnrolledError, match=second):
        house.enrollment.replace_photo("ann", first, photo("ann", 2))
    with pytest.raises(photo_errors.UndecodablePhotoError):
        house.enrollment.replace_photo("ann", first, b"garbage")
    assert photo_ids(house, "ann") == [first, second]
    house.enrollment.replace_photo("ann", first, photo("ann", 1))  # by itself
    house.enrollment.replace_photo("ann", first, photo("ann", 3))
    assert set(photo_ids(house, "ann")) == {first, second}


def test_a_replacement_must_not_be_of_somebody_enrolled(house: House) -> None:
    enroll(house, "ann", photo("ann", 1))
    enroll(house, "bob", photo("bob", 1))
    (only,) = photo_ids(house, "ann")
    with pytest.raises(errors.FaceAlreadyEnrolledError):
        house.enrollment.replace_photo("ann", only, photo("bob", 2))
    house.enrollment.replace_photo("ann", only, photo("bob", 2), confirmed_distinct=True)
    assert house.employees.look_alikes("ann") == ["bob"]


@pytest.mark.parametrize(
    ("employee_id", "photo_id", "error"),
    [
        ("nobody", "x", errors.EmployeeNotFoundError),
        ("ann", "x", errors.PhotoNotFoundError),
    ],
)
def test_what_is_not_there_is_not_replaced(
    house: House, employee_id: str, photo_id: str, error: type[errors.FacegateError]
) -> None:
    enroll(house, "ann", photo("ann", 1))
    with pytest.raises(error):
        house.enrollment.replace_photo(employee_id, photo_id, photo("ann", 2))


def test_all_photos_are_replaced_in_one_step_whoever_they_show(house: House) -> None:
    enroll(house, "ann", photo("bob", 1), photo("bob", 2))
    wrong = photo_ids(house, "ann")
    shots = [photo("ann", 1), photo("eve", 1), photo("ann", 2)]
    request = EnrollmentRequest("ann", None, None, shots, replaces=True)
    assert positions(house.enrollment.enroll(request)) == ([0, 2], [], [1])
    assert house.employees.read("ann")[0].photo_count == 2
    assert not set(photo_ids(house, "ann")) & set(wrong)
    assert identify(house, photo("bob", 3)).known is None
    hopeless = EnrollmentRequest("ann", None, None, [b"garbage"], replaces=True)
    with pytest.raises(photo_errors.NoUsablePhotoError):
        house.enrollment.enroll(hopeless)
    assert house.employees.read("ann")[0].photo_count == 2


def test_photos_are_added_to_nobody(house: House) -> None:
    with pytest.raises(errors.EmployeeNotFoundError):
        house.enrollment.enroll(EnrollmentRequest("ann", None, None, [photo("ann", 1)]))
    enroll_confirmed(house, "ann", photo("ann", 1))
    added = house.enrollment.enroll(EnrollmentRequest("ann", None, None, [photo("ann", 2)]))
    assert added.employee.photo_count == 2


class PausedVision(FakeVision):
    """Looks at a photo only once something else has happened."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        self.meanwhile = meanwhile

    def decode(self, content: bytes) -> Picture:
        self.meanwhile()
        return super().decode(content)


def extraction_with(meanwhile: Callable[[], object]) -> FaceExtraction:
    return FaceExtraction(PausedVision(meanwhile), FakeEmbedder(), Admission(1, 1, 1.0))


@pytest.mark.parametrize("name", ["A Name", None])
def test_who_is_deleted_meanwhile_is_not_made_anew(house: House, name: str | None) -> None:
    enroll(house, "ann", photo("ann", 1))
    extraction = extraction_with(lambda: house.employees.unenroll("ann"))
    slow = make_enrollment(extraction, house.registry, house.gallery)
    with pytest.raises(errors.EmployeeDeletedError):
        slow.enroll(EnrollmentRequest("ann", name, None, [photo("ann", 2)]))
    assert house.employees.page(0, 9).employees == []
    assert house.index.size == 0


def test_who_is_enrolled_anew_meanwhile_is_somebody_else(house: House) -> None:
    enroll(house, "ann", photo("ann", 1))

    def another_takes_the_id() -> None:
        house.employees.unenroll("ann")
        enroll(house, "ann", photo("bob", 1))

    extraction = extraction_with(another_takes_the_id)
    slow = make_enrollment(extraction, house.registry, house.gallery)
    with pytest.raises(errors.EmployeeDeletedError):
        slow.enroll(EnrollmentRequest("ann", "A Name", None, [photo("ann", 2)]))
    assert house.employees.read("ann")[0].photo_count == 1


def test_photos_that_race_a_deletion_leave_nobody_behind(open_house: Callable[[], House]) -> None:
    """In two processes: every thread has seen the employee before it is deleted."""
    houses = [open_house(), open_house()]
    enroll(houses[0], "ann", photo("ann", 1))
    looked = threading.Barrier(5)
    deleted = threading.Event()
    refused: list[errors.FacegateError] = []

    def wait_for_the_deletion() -> None:
        looked.wait(timeout=30)
        assert deleted.wait(timeout=30)

    def add(number: int) -> None:
        house = houses[number % 2]
        enrollment = make_enrollment(
            extraction_with(wait_for_the_deletion), house.registry, house.gallery
        )
        try:
            enrollment.enroll(EnrollmentRequest("ann", "A Name", None, [photo("ann", 10 + number)]))
        except errors.FacegateError as error:
            refused.append(error)

    threads = [threading.Thread(target=add, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    looked.wait(timeout=30)
    houses[0].employees.unenroll("ann")
    deleted.set()
    for thread in threads:
        thread.join()
    assert [type(error) for error in refused] == [errors.EmployeeDeletedError] * 4
    for house in houses:
        assert house.employees.page(0, 9).employees == []
        house.gallery.rebuild()
        assert house.index.size == 0
