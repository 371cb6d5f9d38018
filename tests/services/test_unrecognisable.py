"""What the model cannot read is neither enrolled nor decided on, and what was enrolled is named."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from app.bootstrap import make_gallery, make_gallery_audit
from app.domain.audit.errors import NothingToAuditError
from app.domain.employees import NewPhoto
from app.domain.errors import NoCurrentPhotoError
from app.domain.faces import Detection, FaceCrop, Picture
from app.domain.photo_errors import FaceTurnedError, FaceUnrecognisableError, NoUsablePhotoError
from app.domain.verdict import Verdict
from app.search.faiss_index import FaissGalleryIndex
from app.services.extraction import SeveralFaces
from app.services.scenes import Scene
from tests.services.conftest import House
from tests.services.fakes import (
    DIM,
    LANDMARKS,
    MANIFEST,
    QUALITY,
    UNREADABLE,
    FakeVision,
    person_centre,
    photo,
)
from tests.services.test_audits import finished
from tests.services.test_enrollment import enroll

HEAD_DOWN = tuple((-x, -y) for x, y in LANDMARKS)


class TurningVision(FakeVision):
    """The face can be read at another turn alone, and the detector sees that when it is asked."""

    def look_at_turns(self, picture: Picture, detection: Detection) -> Detection:  # noqa: ARG002
        return dataclasses.replace(detection, landmarks=HEAD_DOWN)

    def crop(self, picture: Picture, detection: Detection) -> FaceCrop:
        crop = super().crop(picture, detection)
        if detection.turned_degrees == 0:
            read = f"{UNREADABLE} 0".encode()
            crop.pixels.reshape(-1)[:200] = 0
            crop.pixels.reshape(-1)[: len(read)] = list(read)
        return crop


def insert(house: House, employee_id: str, *people: str) -> None:
    """Store photos as an earlier version of the service would have, which refused none."""
    with house.registry.session() as session:
        employee = session.add_employee(employee_id, employee_id, None)
        session.add_photos(
            employee.key,
            [NewPhoto(person_centre(one), QUALITY, MANIFEST.model_version) for one in people],
        )
        session.advance_revision()
        session.commit()


def test_an_unreadable_photo_is_not_enrolled_and_says_why(house: House) -> None:
    with pytest.raises(NoUsablePhotoError) as caught:
        enroll(house, "e1", photo(UNREADABLE))
    (failure,) = caught.value.failures
    assert failure.code == "face_unrecognisable"
    assert "upright" in failure.hint
    result = enroll(house, "e1", photo("anna"), photo(UNREADABLE))
    assert [one.code for one in result.failures] == ["face_unrecognisable"]
    assert len(result.enrolled) == 1
    recognisability = result.enrolled[0].face.quality.recognisability
    assert recognisability is not None
    assert recognisability > 0.4


def test_an_unreadable_visitor_is_refused_and_a_burst_goes_on_without(house: House) -> None:
    enroll(house, "e1", photo("anna"))
    with pytest.raises(FaceUnrecognisableError):
        house.recognition.identify(photo(UNREADABLE), 5, SeveralFaces.LARGEST)
    with pytest.raises(FaceUnrecognisableError):
        house.recognition.compare(photo("anna"), photo(UNREADABLE), SeveralFaces.LARGEST)
    with pytest.raises(FaceUnrecognisableError):
        house.recognition.verify_claim("e1", photo(UNREADABLE), SeveralFaces.LARGEST)
    scene = Scene((photo(UNREADABLE), photo("anna", 1), photo("anna", 2)))
    seen = house.recognition.identify(scene, 5, SeveralFaces.LARGEST)
    assert seen.verdict is Verdict.KNOWN
    assert [one.code for one in seen.face.frames] == ["face_unrecognisable", None, None]


def test_a_face_that_can_be_read_at_another_turn_is_used_so(
    open_house: Callable[..., House],
) -> None:
    house = open_house(vision=TurningVision())
    result = enroll(house, "e1", photo("anna"))
    assert result.enrolled[0].face.detection.turned_degrees == 180
    seen = house.recognition.identify(photo("anna", 3), 5, SeveralFaces.LARGEST)
    assert seen.known is not None
    assert seen.known.employee.employee_id == "e1"


def test_a_face_that_no_turn_makes_readable_is_told_as_it_stands(
    open_house: Callable[..., House],
) -> None:
    house = open_house(vision=TurningVision())
    with pytest.raises(FaceTurnedError, match="180 degrees"):
        house.recognition.identify(photo(UNREADABLE), 5, SeveralFaces.LARGEST)


def test_an_unreadable_photo_of_an_existing_gallery_is_left_out_and_named(house: House) -> None:
    insert(house, "alone", UNREADABLE)
    insert(house, "both", "bert", UNREADABLE)
    gallery = make_gallery(house.registry, FaissGalleryIndex(DIM), MANIFEST)
    gallery.rebuild()
    assert gallery.index.size == 1
    assert [(one.employee_id, "unrecognisable" in one.reason) for one in gallery.left_out] == [
        ("alone", True),
        ("both", True),
    ]
    stored, photos = house.employees.read("both")
    assert stored.photo_count == 2
    measured = [one.quality.recognisability for one in photos]
    assert measured[0] is not None
    assert measured[0] > 0.4
    assert measured[1] == pytest.approx(0.0, abs=1e-6)
    assert house.employees.read_photo("both", photos[1].photo_id).quality == photos[1].quality
    seen = house.recognition.identify(photo("bert", 3), 5, SeveralFaces.LARGEST)
    assert seen.known is not None
    assert seen.known.employee.employee_id == "both"


def test_a_claim_of_somebody_without_a_usable_photo_says_so(house: House) -> None:
    insert(house, "alone", UNREADABLE, UNREADABLE)
    with pytest.raises(NoCurrentPhotoError, match="none of the 2 photos of 'alone' can be used"):
        house.recognition.verify_claim("alone", photo("anna"), SeveralFaces.LARGEST)


def test_an_audit_of_nothing_but_such_photos_names_who_has_them(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    names = [f"e{number:02}" for number in range(12)]
    for name in names:
        insert(house, name, UNREADABLE, UNREADABLE)
    gallery_audit = make_gallery_audit(house.registry, MANIFEST, house.policy)
    with pytest.raises(NothingToAuditError, match="all 24 photos of active") as caught:
        gallery_audit.run(lambda _: None)
    assert str(caught.value).endswith(f": {', '.join(names[:10])} and 2 more employees")
    record = finished(house.audits, house.audits.start().audit_id)
    assert record.failure == NothingToAuditError.code
    assert "e00" not in caplog.text


def test_an_audit_names_them_and_compares_them_with_nobody(house: House) -> None:
    insert(house, "alone", UNREADABLE)
    insert(house, "both", "bert", UNREADABLE)
    insert(house, "clean", "clara")
    result = finished(house.audits, house.audits.start().audit_id).result
    assert result is not None
    assert result.photo_count == 2
    assert result.unrecognisable_count == 2
    assert {one.employee_id for one in result.unrecognisable_photos} == {"alone", "both"}
    assert all(one.recognisability < 0.4 for one in result.unrecognisable_photos)
    assert "unrecognisable" in result.advice[0]
