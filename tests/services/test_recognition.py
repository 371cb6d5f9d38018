from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import pytest

from app.domain import errors, photo_errors
from app.domain.employees import EmployeeStatus, NewPhoto
from app.domain.faces import ENROLLMENT_LIMITS, VERIFICATION_LIMITS
from app.domain.model_manifest import Threshold
from app.domain.policy import RiskPolicy
from app.domain.verdict import NextStep, Verdict
from app.services.answers import Identification
from app.services.employees import EmployeeChange
from app.services.extraction import SeveralFaces
from app.services.policy import DecisionPolicy
from app.services.recognition import Recognition
from tests.services.conftest import RISK, House
from tests.services.fakes import MANIFEST, QUALITY, photo
from tests.services.test_enrollment import enroll

LARGEST = SeveralFaces.LARGEST


def identify(house: House, content: bytes, limit: int = 5) -> Identification:
    return house.recognition.identify(content, limit, LARGEST)


def enroll_team(house: House, *names: str) -> None:
    for name in names:
        enroll(house, name, photo(name, 1), photo(name, 2), photo(name, 3))


def test_an_enrolled_face_is_known(house: House) -> None:
    enroll_team(house, "ann", "bob", "eve")
    found = identify(house, photo("bob", 9))
    assert found.known is not None
    assert found.known.employee.employee_id == "bob"
    assert found.known.probability > 0.9


def test_a_stranger_is_unknown(house: House) -> None:
    enroll_team(house, "ann", "bob", "eve")
    found = identify(house, photo("stranger", 1))
    assert found.known is None
    assert found.unknown_probability > 0.9
    assert len(found.candidates) == 3


def test_probabilities_go_no_further_than_the_people_behind_the_model(house: House) -> None:
    """The decision does: who is the nearest, and what the threshold asks, stay as they were."""
    enroll_team(house, "ann", "bob", "eve")
    sure = house.recognition.verify_claim("bob", photo("bob", 9), LARGEST)
    assert sure.probability > 0.99
    bounds = (-math.log(4), math.log(4))
    weak = dataclasses.replace(
        MANIFEST, calibration=dataclasses.replace(MANIFEST.calibration, bounds=bounds)
    )
    recognition = Recognition(
        house.extraction, house.registry, house.gallery, weak, house.policy, VERIFICATION_LIMITS
    )
    claim = recognition.verify_claim("bob", photo("bob", 9), LARGEST)
    assert claim.accepted
    assert claim.probability == pytest.approx(0.8)
    assert recognition.compare(
        photo("bob", 8), photo("bob", 9), LARGEST
    ).probability == pytest.approx(0.8)
    found = recognition.identify(photo("bob", 9), 5, LARGEST)
    assert found.known is not None
    assert found.known.employee.employee_id == "bob"
    # 4/3 for bob, 1/4 of a third for each other, against nobody's 1, all of a half.
    assert found.probability == pytest.approx((4 / 3) / (4 / 3 + 2 / 12 + 1))


def test_in_an_empty_gallery_everybody_is_unknown(house: House) -> None:
    found = identify(house, photo("ann"))
    assert found.known is None
    assert found.candidates == ()
    assert found.unknown_probability == 1.0


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_probabilities_sum_to_one(house: House, limit: int) -> None:
    enroll_team(house, "ann", "bob", "eve", "joe")
    found = identify(house, photo("eve", 7), limit)
    total = sum(candidate.probability for candidate in found.candidates)
    assert math.isclose(total + found.others_probability + found.unknown_probability, 1.0)
    assert len(found.candidates) == min(limit, 4)
    ranked = [candidate.similarity for candidate in found.candidates]
    assert ranked == sorted(ranked, reverse=True)


def test_a_suspended_employee_is_unknown_until_active_again(house: House) -> None:
    enroll_team(house, "ann")
    house.employees.change("ann", EmployeeChange(status=EmployeeStatus.SUSPENDED))
    assert identify(house, photo("ann", 8)).known is None
    with pytest.raises(errors.EmployeeConflictError, match="suspended"):
        house.recognition.verify_claim("ann", photo("ann", 8), LARGEST)
    house.employees.change("ann", EmployeeChange(status=EmployeeStatus.ACTIVE))
    assert identify(house, photo("ann", 8)).known is not None


def test_a_deleted_employee_is_unknown_at_once(house: House) -> None:
    enroll_team(house, "ann", "bob")
    house.employees.unenroll("ann")
    found = identify(house, photo("ann", 8))
    assert found.known is None
    assert [c.employee.employee_id for c in found.candidates] == ["bob"]


def test_a_claim_is_judged_by_its_own_threshold(house: House) -> None:
    enroll_team(house, "ann", "bob")
    right = house.recognition.verify_claim("ann", photo("ann", 8), LARGEST)
    wrong = house.recognition.verify_claim("ann", photo("bob", 8), LARGEST)
    assert right.accepted
    assert right.threshold == house.policy.verify().threshold
    assert not wrong.accepted
    assert wrong.probability < 0.1
    assert right.probability > 0.9
    with pytest.raises(errors.EmployeeNotFoundError):
        house.recognition.verify_claim("nobody", photo("ann", 8), LARGEST)


def test_a_face_smaller_than_what_is_enrolled_is_asked_closer(house: House) -> None:
    enroll_team(house, "ann")
    wanted = dataclasses.replace(ENROLLMENT_LIMITS, min_size_pixels=300.0)
    careful = Recognition(
        house.extraction, house.registry, house.gallery, MANIFEST, house.policy,
        VERIFICATION_LIMITS, wanted_quality=wanted,
    )  # fmt: skip
    stranger = photo("stranger", 1, size_pixels=250)
    assert house.recognition.identify(stranger, 5, LARGEST).next_step is NextStep.REFUSE
    assert careful.identify(stranger, 5, LARGEST).next_step is NextStep.RETRY_CLOSER
    claim = careful.verify_claim("ann", stranger, LARGEST)
    assert claim.next_step is NextStep.RETRY_CLOSER


def test_two_photos_are_compared_without_enrollment(house: House) -> None:
    same = house.recognition.compare(photo("ann", 1), photo("ann", 2), LARGEST)
    different = house.recognition.compare(photo("ann", 1), photo("bob", 1), LARGEST)
    assert same.same
    assert not different.same


def test_several_faces_are_taken_or_refused(house: House) -> None:
    enroll_team(house, "ann")
    crowd = photo("ann", 5, faces=3)
    assert identify(house, crowd).face.faces_found == 3
    with pytest.raises(photo_errors.SeveralFacesFoundError):
        house.recognition.identify(crowd, 5, SeveralFaces.REFUSE)


def test_the_threshold_rises_with_the_gallery(house: House) -> None:
    enroll_team(house, "ann")
    alone = identify(house, photo("ann", 8)).threshold
    enroll_team(house, "bob", "eve", "joe")
    among_four = identify(house, photo("ann", 8)).threshold
    assert among_four.similarity > alone.similarity
    assert among_four.false_match_rate == pytest.approx(alone.false_match_rate / 4, rel=0.01)


def test_whoever_has_fewer_photos_is_asked_for_less(house: House) -> None:
    shifted = dataclasses.replace(
        MANIFEST,
        identify=Threshold(MANIFEST.tails[0].threshold_at(1e-4) + 0.05, 1e-4, "everyone"),
        centroid_shifts=((1, 0.0), (3, 0.05)),
    )
    policy = DecisionPolicy(RiskPolicy(shifted, RISK), house.index, 0.5, 0.5)
    recognition = Recognition(
        house.extraction, house.registry, house.gallery, shifted, policy, VERIFICATION_LIMITS
    )
    enroll(house, "ann", photo("ann", 1))
    enroll_team(house, "bob")
    least, most = (policy.identify(photos=photos).threshold for photos in (1, 3))
    assert most.similarity == pytest.approx(least.similarity + 0.05)
    assert recognition.identify(photo("ann", 9), 5, LARGEST).threshold == least
    assert recognition.identify(photo("bob", 9), 5, LARGEST).threshold == most
    claims = [recognition.verify_claim(who, photo(who, 9), LARGEST) for who in ("ann", "bob")]
    asked = [claim.threshold.similarity for claim in claims]
    assert asked == [policy.verify(photos=photos).threshold.similarity for photos in (1, 3)]
    compared = recognition.compare(photo("ann", 1), photo("ann", 2), LARGEST)
    assert compared.threshold == policy.verify(photos=1).threshold
    assert policy.identify().threshold.similarity == pytest.approx(most.similarity)


def test_two_people_who_cannot_be_told_apart_are_ambiguous(house: House) -> None:
    enroll_team(house, "ann", "bob")
    with house.gallery.changing() as session:  # one face under two ids, as no guard would let in
        bob = session.find_employee("bob")
        ann = session.find_employee("ann")
        assert ann is not None
        assert bob is not None
        for shot in session.list_photos(bob.key):
            session.delete_photo(shot.key)
        embeddings = session.photo_embeddings(ann.key, MANIFEST.model_version)
        session.add_photos(
            bob.key, [NewPhoto(e, QUALITY, MANIFEST.model_version) for _, e in embeddings]
        )
        house.gallery.commit(session, bob)
    found = identify(house, photo("ann", 8), limit=1)
    assert found.verdict is Verdict.AMBIGUOUS
    assert found.known is None
    assert found.next_step is NextStep.ASK_SECOND_FACTOR
    assert {c.employee.employee_id for c in found.contenders} == {"ann", "bob"}
    assert found.probability == pytest.approx(1, abs=0.1)
    assert len(found.candidates) == 1


def test_a_poor_picture_of_nobody_is_worth_another_look(house: House) -> None:
    enroll_team(house, "ann")
    assert identify(house, photo("stranger", 1)).next_step is NextStep.REFUSE
    small = identify(house, photo("stranger", 1, size_pixels=30))
    assert small.verdict is Verdict.UNKNOWN
    assert small.next_step is NextStep.RETRY_CLOSER
    assert identify(house, photo("ann", 8)).next_step is NextStep.OPEN


def test_a_second_process_sees_every_change_of_the_first(
    open_house: Callable[[], House],
) -> None:
    first, second = open_house(), open_house()
    enroll_team(first, "ann", "bob")
    assert identify(second, photo("bob", 7)).known is not None
    first.employees.unenroll("bob")
    assert identify(second, photo("bob", 7)).known is None
    enroll_team(second, "eve")
    enroll_team(first, "joe")
    for house in (first, second):
        for name in ("ann", "eve", "joe"):
            assert identify(house, photo(name, 7)).known is not None
