"""What a recorded look-alike changes, at a door that asks who it is and at one that is told."""

from __future__ import annotations

import pytest

from app.domain.embeddings import as_embedding
from app.domain.employees import EmployeeStatus, NewPhoto
from app.domain.errors import NoCurrentPhotoError
from app.domain.verdict import NextStep, Verdict
from app.services.answers import ClaimVerification
from app.services.employees import EmployeeChange
from app.services.recognition import MIN_CANDIDATES
from tests.services.conftest import House
from tests.services.fakes import MANIFEST, QUALITY, photo
from tests.services.test_enrollment_guards import SUSPEND, enroll_confirmed
from tests.services.test_recognition import LARGEST, enroll_team, identify

ACTIVATE = EmployeeChange(status=EmployeeStatus.ACTIVE)


def claim(house: House, employee_id: str, content: bytes) -> ClaimVerification:
    return house.recognition.verify_claim(employee_id, content, LARGEST)


def enroll_twin(house: House, employee_id: str, of: str) -> None:
    """Enroll a second person with the face of another, whom somebody has told apart."""
    result = enroll_confirmed(house, employee_id, *(photo(of, shot) for shot in (11, 12, 13)))
    assert result.look_alikes == (of,)


def record_look_alikes(house: House, first: str, second: str) -> None:
    with house.gallery.changing() as session:
        one, other = session.find_employee(first), session.find_employee(second)
        assert one is not None
        assert other is not None
        session.add_look_alikes(one.key, [other.key])
        house.gallery.commit(session, one)


def test_a_recorded_look_alike_who_is_near_as_well_makes_it_ambiguous(house: House) -> None:
    enroll_team(house, "ann", "bob", "eve")
    sure = identify(house, photo("ann", 8))
    assert sure.verdict is Verdict.KNOWN
    record_look_alikes(house, "ann", "bob")
    far = identify(house, photo("ann", 8))  # recorded, and not near this time
    assert far.verdict is Verdict.KNOWN
    enroll_twin(house, "tom", of="ann")
    near = identify(house, photo("ann", 8))
    assert near.verdict is Verdict.AMBIGUOUS
    assert {one.employee.employee_id for one in near.contenders} == {"ann", "tom"}
    assert near.probability == pytest.approx(sum(one.probability for one in near.contenders))


def test_an_unrelated_person_is_no_contender_of_a_suspended_look_alike(house: House) -> None:
    enroll_team(house, "ann", "bob", "eve")
    record_look_alikes(house, "ann", "bob")
    house.employees.change("bob", SUSPEND)
    found = identify(house, photo("ann", 8))  # bob is in no index now, and may be who stands there
    assert found.verdict is Verdict.AMBIGUOUS
    assert found.next_step is NextStep.ASK_SECOND_FACTOR
    assert [one.employee.employee_id for one in found.candidates] == ["ann", "eve"]
    assert [one.employee.employee_id for one in found.contenders] == ["ann"]
    assert found.probability == found.candidates[0].probability
    house.employees.change("bob", ACTIVATE)
    assert identify(house, photo("ann", 8)).verdict is Verdict.KNOWN


def test_a_look_alike_without_a_current_photo_is_in_no_index_either(house: House) -> None:
    enroll_team(house, "ann", "bob")
    record_look_alikes(house, "ann", "bob")
    assert claim(house, "ann", photo("ann", 8)).next_step is NextStep.OPEN
    with house.gallery.changing() as session:  # as after a change of the model
        bob = session.find_employee("bob")
        assert bob is not None
        for key, embedding in session.photo_embeddings(bob.key, MANIFEST.model_version):
            session.delete_photo(key)
            session.add_photos(bob.key, [NewPhoto(embedding, QUALITY, "an-older-model")])
        house.gallery.commit(session, bob)
    assert identify(house, photo("ann", 8)).verdict is Verdict.AMBIGUOUS
    assert claim(house, "ann", photo("ann", 8)).next_step is NextStep.ASK_SECOND_FACTOR


def test_of_two_look_alikes_either_may_claim_to_be_the_other_and_neither_opens(
    house: House,
) -> None:
    enroll_team(house, "ann", "eve")
    assert claim(house, "ann", photo("ann", 8)).next_step is NextStep.OPEN
    enroll_twin(house, "tom", of="ann")
    for claimed in ("ann", "tom"):
        either = claim(house, claimed, photo("ann", 8))
        assert either.accepted
        assert either.next_step is NextStep.ASK_SECOND_FACTOR
    assert claim(house, "eve", photo("eve", 8)).next_step is NextStep.OPEN
    house.employees.change("tom", SUSPEND)
    assert claim(house, "ann", photo("ann", 8)).next_step is NextStep.ASK_SECOND_FACTOR
    house.employees.unenroll("tom")
    assert claim(house, "ann", photo("ann", 8)).next_step is NextStep.OPEN


def test_a_look_alike_who_is_far_this_time_leaves_a_claim_open(house: House) -> None:
    enroll_team(house, "ann", "bob")
    record_look_alikes(house, "ann", "bob")
    assert claim(house, "ann", photo("ann", 8)).next_step is NextStep.OPEN
    house.employees.change("bob", SUSPEND)
    assert claim(house, "ann", photo("ann", 8)).next_step is NextStep.OPEN


def test_a_rejected_claim_is_refused_or_worth_another_look(house: House) -> None:
    enroll_team(house, "ann", "bob")
    refused = claim(house, "ann", photo("bob", 8))
    assert not refused.accepted
    assert refused.next_step is NextStep.REFUSE
    small = claim(house, "ann", photo("bob", 8, size_pixels=30))
    assert not small.accepted
    assert small.next_step is NextStep.RETRY_CLOSER


def test_a_look_alike_is_found_however_few_candidates_are_wanted(house: House) -> None:
    """More people than are read for an answer are more probable, and the look-alike is one too."""
    enroll_team(house, "ann")
    names = [f"twin{number:02}" for number in range(MIN_CANDIDATES + 2)]
    for name in names:
        with house.gallery.changing() as session:  # one face under many ids
            ann = session.find_employee("ann")
            assert ann is not None
            employee = session.add_employee(name, name, None)
            photos = [one for _, one in session.photo_embeddings(ann.key, MANIFEST.model_version)]
            new = [NewPhoto(one, QUALITY, MANIFEST.model_version) for one in photos]
            session.add_photos(employee.key, new)
            house.gallery.commit(session, employee)
    record_look_alikes(house, "ann", names[-1])
    for limit in (1, 5, 20):
        found = identify(house, photo("ann", 8), limit)
        assert [one.employee.employee_id for one in found.contenders] == ["ann", names[-1]]
        assert found.verdict is Verdict.AMBIGUOUS


def test_photos_that_cancel_out_are_no_photos_to_claim_with(house: House) -> None:
    """A gallery restored by hand: the two are opposite, and have no centroid."""
    enroll_team(house, "ann", "bob")
    record_look_alikes(house, "ann", "bob")
    with house.gallery.changing() as session:
        bob = session.find_employee("bob")
        assert bob is not None
        shots = session.photo_embeddings(bob.key, MANIFEST.model_version)
        for key, _ in shots:
            session.delete_photo(key)
        pair = [shots[0][1], as_embedding(-shots[0][1])]
        new = [NewPhoto(one, QUALITY, MANIFEST.model_version) for one in pair]
        session.add_photos(bob.key, new)
        house.gallery.commit(session, bob)
    with pytest.raises(NoCurrentPhotoError, match="enroll anew"):
        claim(house, "bob", photo("bob", 8))
    # Nothing speaks against bob, who is in no index and recorded as alike.
    assert claim(house, "ann", photo("ann", 8)).next_step is NextStep.ASK_SECOND_FACTOR
    assert identify(house, photo("ann", 8)).verdict is Verdict.AMBIGUOUS


def test_who_was_suspended_since_the_index_answered_is_nobody_to_find(house: House) -> None:
    """The index still holds them: another process has committed, and this one not yet seen it."""
    enroll_team(house, "ann", "bob")
    enroll_twin(house, "tom", of="ann")

    def suspend_behind_the_index(employee_id: str) -> None:
        with house.registry.session() as session:
            employee = session.find_employee(employee_id)
            assert employee is not None
            session.update_employee(employee.key, status=EmployeeStatus.SUSPENDED)
            session.commit()

    suspend_behind_the_index("ann")
    found = identify(house, photo("ann", 8))
    assert house.index.size == 3
    assert [one.employee.employee_id for one in found.candidates] == ["tom", "bob"]
    assert found.verdict is Verdict.AMBIGUOUS  # it may be ann, who looks like tom
    assert [one.employee.employee_id for one in found.contenders] == ["tom"]
    for name in ("bob", "tom"):
        suspend_behind_the_index(name)
    empty = identify(house, photo("ann", 8))
    assert (empty.verdict, empty.candidates, empty.contenders) == (Verdict.UNKNOWN, (), ())
    assert empty.next_step is NextStep.REFUSE
