"""A covered face is not enrolled and says why; at a door it is looked at like any other."""

from __future__ import annotations

import pytest

from app.domain.photo_errors import FaceCoveredError, NoUsablePhotoError
from app.domain.verdict import Verdict
from app.services.extraction import SeveralFaces
from tests.services.conftest import House
from tests.services.fakes import MANIFEST, UNREADABLE, photo
from tests.services.test_enrollment import enroll

COVERED = 0.1


def test_a_covered_face_is_not_enrolled_and_the_others_are(house: House) -> None:
    with pytest.raises(NoUsablePhotoError) as caught:
        enroll(house, "e1", photo("anna", plainness=COVERED))
    (failure,) = caught.value.failures
    assert failure.code == "face_covered"
    assert "take off" in failure.hint
    result = enroll(house, "e1", photo("anna", plainness=0.9), photo("anna", 1, plainness=COVERED))
    assert [one.code for one in result.failures] == ["face_covered"]
    assert [one.face.quality.plainness for one in result.enrolled] == [0.9]


def test_no_photo_is_replaced_by_a_covered_one(house: House) -> None:
    (stored,) = enroll(house, "e1", photo("anna")).enrolled
    with pytest.raises(FaceCoveredError):
        house.enrollment.replace_photo(
            "e1", stored.photo.photo_id, photo("anna", 2, plainness=COVERED)
        )
    after = house.employees.read_photo("e1", stored.photo.photo_id)
    assert after.key == stored.photo.key


def test_a_door_takes_a_covered_face_and_tells_how_plain_it_is(house: House) -> None:
    enroll(house, "e1", photo("anna"))
    seen = house.recognition.identify(photo("anna", 3, plainness=COVERED), 5, SeveralFaces.LARGEST)
    assert seen.verdict is Verdict.KNOWN
    assert seen.face.quality.plainness == 0.1


def test_what_says_more_exactly_what_is_wrong_comes_first(house: House) -> None:
    for covered, code in (
        (photo(UNREADABLE, plainness=COVERED), "face_unrecognisable"),
        (photo("anna", sharpness=1, plainness=COVERED), "face_blurred"),
    ):
        with pytest.raises(NoUsablePhotoError) as caught:
            enroll(house, "e1", covered)
        assert [one.code for one in caught.value.failures] == [code]


def test_a_face_that_was_not_measured_is_enrolled(house: House) -> None:
    assert MANIFEST.enrollment_limits.min_plainness > 0
    assert len(enroll(house, "e1", photo("anna")).enrolled) == 1
