from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from app.domain import errors
from app.domain.employees import GalleryEntry
from app.search.faiss_index import FaissGalleryIndex
from app.services.employees import EmployeeChange
from app.services.enrollment import EnrollmentRequest
from app.services.gallery import Gallery
from tests.services.conftest import House, make_enrollment
from tests.services.fakes import DIM, MANIFEST, photo
from tests.services.test_enrollment import enroll
from tests.services.test_recognition import identify


def test_deleting_a_photo_moves_the_centroid(house: House) -> None:
    result = enroll(house, "e1", photo("ann", 1), photo("ann", 2))
    before = identify(house, photo("ann", 1)).candidates[0].similarity
    house.employees.delete_photo("e1", result.enrolled[1].photo.photo_id)
    after = identify(house, photo("ann", 1)).candidates[0].similarity
    assert after > before
    assert after == pytest.approx(1.0, abs=1e-5)
    assert house.employees.read("e1")[0].photo_count == 1


def test_the_last_photo_stays(house: House) -> None:
    result = enroll(house, "e1", photo("ann", 1))
    with pytest.raises(errors.LastPhotoError):
        house.employees.delete_photo("e1", result.enrolled[0].photo.photo_id)
    with pytest.raises(errors.PhotoNotFoundError):
        house.employees.delete_photo("e1", "no-such-photo")


def test_pages_cover_everybody_once(house: House) -> None:
    for number in range(7):
        enroll(house, f"e{number}", photo(f"p{number}", 1))
    seen, after = [], 0
    while True:
        page = house.employees.page(after, 3)
        seen += [employee.employee_id for employee in page.employees]
        if page.next_key is None:
            break
        after = page.next_key
    assert seen == [f"e{number}" for number in range(7)]


def test_enrolling_at_the_same_time_loses_nothing(open_house: Callable[[], House]) -> None:
    houses = [open_house(), open_house()]
    faults: list[BaseException] = []

    def work(house: House, number: int) -> None:
        try:
            for round_number in range(6):
                name = f"t{number}-{round_number}"
                enroll(house, name, photo(name, 1), photo(name, 2))
                enroll(house, "shared", photo("shared", number * 10 + round_number), name="S")
            house.employees.unenroll(f"t{number}-0")
        except BaseException as error:
            faults.append(error)

    enroll(houses[0], "shared", photo("shared", 99), name="S")
    threads = [threading.Thread(target=work, args=(houses[n % 2], n)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert houses[0].employees.read("shared")[0].photo_count == 25
    for house in houses:
        found = identify(house, photo("t1-3", 9))
        assert found.known is not None
        assert house.index.size == 4 * 5 + 1
        assert house.gallery.is_current()


def test_a_change_of_name_does_not_touch_the_index(house: House) -> None:
    enroll(house, "e1", photo("ann", 1))
    revision = house.index.revision
    house.employees.change("e1", EmployeeChange(full_name="New Name"))
    assert house.index.revision == revision
    assert house.gallery.is_current()


class FailingIndex(FaissGalleryIndex):
    """Fails at the next change, as a full memory would."""

    failures = 0

    def upsert(self, entry: GalleryEntry, revision: int) -> None:
        if self.failures:
            self.failures -= 1
            raise MemoryError("no room for another vector")
        super().upsert(entry, revision)


def test_what_is_committed_is_answered_as_done_and_the_index_catches_up(house: House) -> None:
    index = FailingIndex(DIM)
    gallery = Gallery(house.registry, index, MANIFEST.model_version)
    gallery.rebuild()
    enrollment = make_enrollment(house.extraction, house.registry, gallery)
    index.failures = 1
    result = enrollment.enroll(EnrollmentRequest("e1", "A Name", None, (photo("ann", 1),)))
    assert result.created
    assert not gallery.is_current()
    with house.registry.session() as session:
        gallery.refresh(session)
    assert gallery.is_current()
    assert index.size == 1


def test_the_last_photo_of_the_present_model_stays(house: House) -> None:
    """An older model's photos do not open the door any more."""
    other = make_enrollment(house.extraction, house.registry, house.gallery, "older-1")
    other.enroll(EnrollmentRequest("e1", "A Name", None, (photo("ann", 1),)))
    enroll(house, "e1", photo("ann", 2))
    _, photos = house.employees.read("e1")
    old, new = (one for one in photos)
    with pytest.raises(errors.LastPhotoError):
        house.employees.delete_photo("e1", new.photo_id)
    house.employees.delete_photo("e1", old.photo_id)


def test_who_cannot_be_recognised_by_the_present_model_is_told_in_the_log(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    enroll(house, "e1", photo("ann", 1))
    Gallery(house.registry, FaissGalleryIndex(DIM), "newer-2").rebuild()
    assert "1 active employees have no photo of model newer-2" in caplog.text
