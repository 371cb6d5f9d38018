"""Decisions while the registry changes, and where similarity and probability disagree."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from app.domain import errors
from app.domain.embeddings import Embedding, as_embedding
from app.domain.employees import EmployeeStatus
from app.domain.faces import VERIFICATION_LIMITS, Picture
from app.services.admission import Admission
from app.services.employees import EmployeeChange
from app.services.enrollment import Enrollment, EnrollmentRequest
from app.services.extraction import FaceExtraction, SeveralFaces
from app.services.recognition import Recognition
from tests.services.conftest import House, make_enrollment
from tests.services.fakes import DIM, MANIFEST, FakeEmbedder, FakeVision, photo
from tests.services.test_enrollment import enroll

SUSPEND = EmployeeChange(status=EmployeeStatus.SUSPENDED)
ACTIVATE = EmployeeChange(status=EmployeeStatus.ACTIVE)


class InterruptedVision(FakeVision):
    """Something happens while a photo is looked at."""

    def __init__(self, interruption: Callable[[], object]) -> None:
        self.interruption = interruption

    def decode(self, content: bytes) -> Picture:
        self.interruption()
        return super().decode(content)


class PlacedEmbedder(FakeEmbedder):
    """The person's name is an angle in degrees on a circle."""

    def _embed(self, crop: npt.NDArray[np.uint8]) -> Embedding:
        angle = math.radians(float(bytes(crop.reshape(-1)[:200]).rstrip(b"\0").split()[0]))
        return as_embedding(np.array([math.cos(angle), math.sin(angle), *[0.0] * (DIM - 2)]))


def interrupted(house: House, interruption: Callable[[], object]) -> Recognition:
    extraction = FaceExtraction(InterruptedVision(interruption), FakeEmbedder(), Admission(1, 1, 1))
    return Recognition(
        extraction, house.registry, house.gallery, MANIFEST, house.policy, VERIFICATION_LIMITS
    )


def test_a_claim_counts_as_of_its_decision_not_of_its_arrival(house: House) -> None:
    enroll(house, "ann", photo("ann", 1))
    recognition = interrupted(house, lambda: house.employees.change("ann", SUSPEND))
    with pytest.raises(errors.EmployeeConflictError, match="suspended"):
        recognition.verify_claim("ann", photo("ann", 2), SeveralFaces.LARGEST)
    house.employees.change("ann", ACTIVATE)
    recognition = interrupted(house, lambda: house.employees.unenroll("ann"))
    with pytest.raises(errors.EmployeeNotFoundError):
        recognition.verify_claim("ann", photo("ann", 2), SeveralFaces.LARGEST)


def test_a_status_set_while_another_process_sets_it_back_reaches_every_index(
    open_house: Callable[[], House],
) -> None:
    here, there = open_house(), open_house()
    enroll(here, "ann", photo("ann", 1), photo("ann", 2))
    here.employees.change("ann", SUSPEND)
    with there.gallery.changing() as session:
        employee = session.find_employee("ann")
        assert employee is not None
        session.lock_employee(employee.key)
        # Reads "suspended", then waits for the lock.
        waiting = threading.Thread(target=here.employees.change, args=("ann", SUSPEND))
        waiting.start()
        waiting.join(timeout=0.3)
        assert waiting.is_alive()
        changed = session.update_employee(employee.key, status=EmployeeStatus.ACTIVE)
        there.gallery.commit(session, changed)
    waiting.join()
    assert here.employees.read("ann")[0].status is EmployeeStatus.SUSPENDED
    for house in (here, there):
        found = house.recognition.identify(photo("ann", 3), 5, SeveralFaces.LARGEST)
        assert found.known is None


def test_the_most_probable_employee_ranks_first_and_not_the_nearest(house: House) -> None:
    """One photo at .75 speaks for less than a centroid of three at .70: 5.0 against 5.5 nats."""
    extraction = FaceExtraction(FakeVision(), PlacedEmbedder(), Admission(1, 1, 1.0))
    recognition = Recognition(
        extraction, house.registry, house.gallery, MANIFEST, house.policy, VERIFICATION_LIMITS
    )
    near, far = math.degrees(math.acos(0.75)), -math.degrees(math.acos(0.70))
    team = make_enrollment(extraction, house.registry, house.gallery)
    enroll_into(team, "near", photo(str(near), 1))
    enroll_into(team, "far", *(photo(str(far), n, brightness=90 + 30 * n) for n in range(3)))
    found = recognition.identify(photo("0", 9), 5, SeveralFaces.LARGEST)
    assert [one.employee.employee_id for one in found.candidates] == ["far", "near"]
    assert found.candidates[0].similarity < found.candidates[1].similarity
    assert found.candidates[0].probability > found.candidates[1].probability
    assert found.contenders == found.candidates  # near as probable, so that nobody is known
    (first,) = recognition.identify(photo("0", 9), 1, SeveralFaces.LARGEST).candidates
    assert first.employee.employee_id == "far"


def enroll_into(enrollment: Enrollment, name: str, *photos: bytes) -> None:
    enrollment.enroll(EnrollmentRequest(name, name, None, photos))
