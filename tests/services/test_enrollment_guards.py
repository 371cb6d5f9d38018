"""Photos of somebody else, and faces that are enrolled already."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from app.domain import errors, photo_errors
from app.domain.employees import EmployeeStatus
from app.services.employees import EmployeeChange
from app.services.enrollment import EnrollmentRequest, EnrollmentResult
from tests.services.conftest import House
from tests.services.fakes import MANIFEST, photo
from tests.services.test_enrollment import enroll
from tests.services.test_recognition import identify

SUSPEND = EmployeeChange(status=EmployeeStatus.SUSPENDED)


def enroll_confirmed(house: House, employee_id: str, *photos: bytes) -> EnrollmentResult:
    return house.enrollment.enroll(
        EnrollmentRequest(employee_id, f"Name of {employee_id}", None, photos, True)
    )


def test_a_photo_of_somebody_else_is_named_and_not_averaged_in(house: House) -> None:
    result = enroll(house, "ann", photo("ann", 1), photo("bob", 1), photo("ann", 2))
    assert [one.position for one in result.enrolled] == [0, 2]
    (failure,) = result.failures
    assert (failure.position, failure.code) == (1, "photo_of_somebody_else")
    assert "other 2 photos" in failure.message
    assert failure.hint.startswith(failure.message)
    only = enroll(house, "eve", photo("eve", 1), photo("eve", 2))
    assert result.employee.photo_count == only.employee.photo_count == 2
    assert identify(house, photo("bob", 1)).known is None


def test_failures_of_both_kinds_stand_in_the_order_of_the_request(house: House) -> None:
    result = enroll(
        house, "ann", photo("bob", 1), b"garbage", photo("ann", 1), photo("ann", 2, faces=0),
        photo("ann", 3), photo("eve", 1), photo("ann", 4),
    )  # fmt: skip
    assert [(f.position, f.code) for f in result.failures] == [
        (0, "photo_of_somebody_else"),
        (1, "photo_undecodable"),
        (3, "no_face"),
        (5, "photo_of_somebody_else"),
    ]


def test_of_two_that_disagree_both_are_named_and_nothing_is_stored(house: House) -> None:
    with pytest.raises(photo_errors.NoUsablePhotoError) as raised:
        enroll(house, "ann", photo("ann", 1), photo("bob", 1))
    assert [(f.position, f.code) for f in raised.value.failures] == [
        (0, "photos_disagree"),
        (1, "photos_disagree"),
    ]
    assert house.employees.page(0, 10).employees == []
    assert house.gallery.is_current()


def test_more_photos_must_agree_with_those_enrolled(house: House) -> None:
    enroll(house, "ann", photo("ann", 1))
    with pytest.raises(photo_errors.NoUsablePhotoError) as raised:
        enroll(house, "ann", photo("bob", 1), photo("bob", 2), photo("bob", 3))
    assert {f.code for f in raised.value.failures} == {"photo_of_somebody_else"}
    assert house.employees.read("ann")[0].photo_count == 1
    mixed = enroll(house, "ann", photo("bob", 1), photo("bob", 2), photo("ann", 2))
    assert [one.position for one in mixed.enrolled] == [2]


def test_a_face_under_another_id_is_refused_with_the_candidates(house: House) -> None:
    enroll(house, "ann", photo("ann", 1), photo("ann", 2))
    enroll(house, "bob", photo("bob", 1))
    with pytest.raises(errors.FaceAlreadyEnrolledError) as raised:
        enroll(house, "ann-again", photo("ann", 3))
    (candidate,) = raised.value.candidates
    assert (candidate.employee_id, candidate.full_name) == ("ann", "A Name")
    assert candidate.similarity >= MANIFEST.verify.similarity
    assert "'ann'" in raised.value.hint
    assert [one.employee_id for one in house.employees.page(0, 9).employees] == ["ann", "bob"]
    assert house.gallery.is_current()


def test_a_suspended_employee_counts_too(house: House) -> None:
    enroll(house, "ann", photo("ann", 1))
    house.employees.change("ann", SUSPEND)
    with pytest.raises(errors.FaceAlreadyEnrolledError):
        enroll(house, "ann-again", photo("ann", 3))
    house.employees.unenroll("ann")
    assert enroll(house, "ann-again", photo("ann", 3)).created


def test_confirmed_people_are_kept_as_look_alikes(house: House) -> None:
    enroll(house, "ann", photo("ann", 1))
    result = enroll_confirmed(house, "twin", photo("ann", 2))
    assert result.look_alikes == ("ann",)
    assert house.employees.look_alikes("ann") == ["twin"]
    assert house.employees.look_alikes("twin") == ["ann"]
    # Who is known as a look-alike is no reason to refuse more photos of either.
    assert enroll(house, "ann", photo("ann", 4)).look_alikes == ()
    more = EnrollmentRequest("twin", "Name of twin", None, [photo("ann", 5)])
    assert house.enrollment.enroll(more).look_alikes == ()
    house.employees.unenroll("ann")
    assert house.employees.look_alikes("twin") == []


def test_a_third_of_the_same_face_must_be_confirmed_against_both(house: House) -> None:
    enroll(house, "ann", photo("ann", 1))
    enroll_confirmed(house, "twin", photo("ann", 2))
    with pytest.raises(errors.FaceAlreadyEnrolledError) as raised:
        enroll(house, "triplet", photo("ann", 3))
    assert {one.employee_id for one in raised.value.candidates} == {"ann", "twin"}
    found = [one.similarity for one in raised.value.candidates]
    assert found == sorted(found, reverse=True)
    assert set(enroll_confirmed(house, "triplet", photo("ann", 3)).look_alikes) == {"ann", "twin"}
    assert house.employees.look_alikes("ann") == ["twin", "triplet"]


def test_confirming_where_nobody_looks_alike_keeps_nothing(house: House) -> None:
    enroll(house, "ann", photo("ann", 1))
    assert enroll_confirmed(house, "bob", photo("bob", 1)).look_alikes == ()
    assert house.employees.look_alikes("bob") == []


def test_of_the_same_face_enrolled_at_once_one_passes(open_house: Callable[[], House]) -> None:
    """In one process and in two: the comparison and the commit are one step to all others."""
    houses = [open_house(), open_house()]
    passed: list[str] = []
    refused: list[errors.FaceAlreadyEnrolledError] = []
    start = threading.Barrier(6)

    def work(house: House, name: str) -> None:
        start.wait()
        try:
            enroll(house, name, photo("ann", len(name)))
            passed.append(name)
        except errors.FaceAlreadyEnrolledError as error:
            refused.append(error)

    threads = [threading.Thread(target=work, args=(houses[n % 2], "a" * (n + 1))) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(passed) == 1
    assert len(refused) == 5
    assert {one.candidates[0].employee_id for one in refused} == set(passed)
