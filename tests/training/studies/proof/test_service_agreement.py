"""The proof and the service give one answer, on galleries of people who are hard to tell apart."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest

from app.domain.calibration import Calibration, PlattCalibration
from app.domain.embeddings import Embedding, as_embedding
from app.domain.employees import EmployeeStatus, NewPhoto
from app.domain.faces import VERIFICATION_LIMITS
from app.domain.model_manifest import Threshold
from app.domain.policy import RiskPolicy
from app.domain.verdict import NextStep, Verdict
from app.services.admission import Admission
from app.services.extraction import FaceExtraction, SeveralFaces
from app.services.policy import DecisionPolicy
from app.services.recognition import Recognition
from tests.services.conftest import RISK, House
from tests.services.fakes import DIM, MANIFEST, QUALITY, FakeEmbedder, FakeVision, photo
from training.foundation.arrays import Matrix
from training.studies.proof.look_alikes import SUSPENDED
from training.studies.proof.verdicts import (
    Enrolled,
    claim_thresholds,
    claim_verdicts,
    enrolled,
    identify_thresholds,
    verdicts,
)

PEOPLE, PROBES = 14, 40
#: Thresholds and lines by number of photos, so that the likeliest is not always the nearest.
MODEL = dataclasses.replace(
    MANIFEST,
    calibration=Calibration((PlattCalibration(1, 24.0, -12.0), PlattCalibration(3, 30.0, -16.0))),
    identify=Threshold(MANIFEST.tails[0].threshold_at(1e-4) + 0.05, 1e-4, "everyone"),
    centroid_shifts=((1, 0.0), (3, 0.05)),
    recognisability=None,
)


class NumberedEmbedder(FakeEmbedder):
    """A probe's name is its row."""

    def __init__(self, rows: Matrix) -> None:
        super().__init__(MODEL)
        self.rows = rows

    def _embed(self, crop: npt.NDArray[np.uint8]) -> Embedding:
        return as_embedding(self.rows[int(bytes(crop.reshape(-1)[:200]).split()[0])])


@dataclass(frozen=True)
class Staff:
    """People by their photos, who is suspended, who is recorded as alike; and who comes."""

    photos: list[Matrix]
    suspended: frozenset[int]
    alike: list[tuple[int, int]]
    probes: Matrix


def unit(rows: npt.NDArray[np.float64]) -> Matrix:
    scaled: Matrix = (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)
    return scaled


def made_staff(seed: int) -> Staff:
    """Return people in pairs that resemble each other, each with one photo to four."""
    random = np.random.default_rng(seed)
    families = np.repeat(random.normal(size=(PEOPLE // 2, DIM)), 2, axis=0)
    faces = families + 0.6 * random.normal(size=families.shape)
    counts = random.integers(1, 5, PEOPLE)
    photos = [
        unit(f + 0.5 * random.normal(size=(n, DIM))) for f, n in zip(faces, counts, strict=True)
    ]
    pairs = [(n, n + 1) for n in range(0, PEOPLE, 2) if random.random() < 0.5]
    pairs += [(int(a), int(b)) for a, b in random.integers(0, PEOPLE, (4, 2)) if a != b]
    between = random.random((PROBES, 1)) * random.integers(0, 2, (PROBES, 1))
    one, other = random.integers(0, PEOPLE // 2, PROBES) * 2, random.integers(0, 2, PROBES)
    shown = (1 - between) * faces[one] + between * faces[one + other]
    shown += random.choice([0.3, 0.8, 1.2], (PROBES, 1)) * random.normal(size=shown.shape)
    gone = random.permutation(PEOPLE)[:3].tolist()
    return Staff(photos, frozenset(gone), pairs, unit(shown))


def enroll_staff(house: House, staff: Staff) -> None:
    with house.gallery.changing() as session:
        keys = []
        for number, photos in enumerate(staff.photos):
            employee = session.add_employee(str(number), str(number), None)
            version = MANIFEST.model_version
            session.add_photos(
                employee.key, [NewPhoto(as_embedding(one), QUALITY, version) for one in photos]
            )
            if number in staff.suspended:
                session.update_employee(employee.key, status=EmployeeStatus.SUSPENDED)
            keys.append(employee.key)
        for one, other in staff.alike:
            session.add_look_alikes(keys[one], [keys[other]])
        (last,) = session.employees_by_key(keys[-1:]).values()
        house.gallery.commit(session, last)
    house.gallery.rebuild()


def found_by(staff: Staff) -> tuple[Enrolled, list[int]]:
    """Return the gallery as a proof sees it, and who each of it is: the suspended are in none."""
    active = [number for number in range(PEOPLE) if number not in staff.suspended]
    place = {number: position for position, number in enumerate(active)}
    pairs = [
        (place.get(one, SUSPENDED + one), place.get(other, SUSPENDED + other))
        for one, other in staff.alike
    ]
    return enrolled([staff.photos[number] for number in active], pairs), active


@pytest.mark.parametrize("seed", range(3))
def test_the_proof_answers_as_the_service_does(open_house: Callable[[], House], seed: int) -> None:
    staff, house = made_staff(seed), open_house()
    enroll_staff(house, staff)
    risk = RiskPolicy(MODEL, RISK)
    recognition = Recognition(
        FaceExtraction(FakeVision(), NumberedEmbedder(staff.probes), Admission(1, 1, 1.0)),
        house.registry,
        house.gallery,
        MODEL,
        DecisionPolicy(risk, house.index, 0.5, 0.5),
        VERIFICATION_LIMITS,
    )
    gallery, active = found_by(staff)
    thresholds = identify_thresholds(gallery, risk)
    proved = verdicts(gallery, staff.probes, MODEL.calibration, thresholds)
    for number, decision in enumerate(proved):
        answer = recognition.identify(photo(str(number)), 1 + number % 12, SeveralFaces.LARGEST)
        assert answer.verdict is decision.verdict
        assert decision.person is not None
        assert answer.candidates[0].employee.employee_id == str(active[decision.person])
        told = [one.employee.employee_id for one in answer.contenders]
        assert told == [str(active[person]) for person in decision.contenders]
    assert len({one.verdict for one in proved}) == 3
    assert {len(one.contenders) for one in proved} == {0, 1, 2}
    check_claims(recognition, staff, risk, active)


def check_claims(
    recognition: Recognition, staff: Staff, risk: RiskPolicy, active: list[int]
) -> None:
    """Hold claims to the same; they are compared with suspended look-alikes as well."""
    everybody = enrolled(staff.photos, staff.alike)
    claimed = [active[number % len(active)] for number in range(PROBES)]
    for number, probe in enumerate(staff.probes[:, None] @ everybody.centroids[active].T):
        if number % 2:
            claimed[number] = active[int(probe.argmax())]
    proved = claim_verdicts(
        everybody, staff.probes, claimed, MODEL.calibration, claim_thresholds(everybody, risk)
    )
    for number, decision in enumerate(proved):
        answer = recognition.verify_claim(
            str(claimed[number]), photo(str(number)), SeveralFaces.LARGEST
        )
        assert answer.accepted is (decision.verdict is not Verdict.UNKNOWN)
        asked = answer.next_step is NextStep.ASK_SECOND_FACTOR
        assert asked is (decision.verdict is Verdict.AMBIGUOUS)
    assert len({one.verdict for one in proved}) == 3
