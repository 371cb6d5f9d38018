from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from app.domain.audit.errors import AuditNotFoundError, AuditRunningError, NothingToAuditError
from app.domain.audit.result import AuditResult, AuditThresholds
from app.domain.embeddings import as_embedding
from app.domain.employees import EmployeeStatus, NewPhoto
from app.domain.policy import RiskPolicy, duplicate_similarity
from app.services.audits import AuditRecord, Audits, AuditState, GalleryAudit
from app.services.employees import EmployeeChange
from app.services.enrollment import EnrollmentRequest
from tests.services.conftest import RISK, House
from tests.services.fakes import DIM, MANIFEST, QUALITY, photo


def enroll(house: House, name: str, shots: int = 3, first: int = 0) -> None:
    photos = [photo(name, shot) for shot in range(first, first + shots)]
    house.enrollment.enroll(EnrollmentRequest(name, name, None, photos))


def store_people(house: House, count: int, model_version: str = MANIFEST.model_version) -> None:
    """Write people of one photo each past the recognition, as an import would."""
    vectors = np.random.default_rng(3).normal(size=(count, DIM))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    with house.registry.session() as session:
        for number, vector in enumerate(vectors):
            key = session.add_employee(f"{model_version}-{number}", "P", None).key
            session.add_photos(key, [NewPhoto(as_embedding(vector), QUALITY, model_version)])
        session.commit()


def finished(audits: Audits, audit_id: str) -> AuditRecord:
    while (record := audits.read(audit_id)).state is AuditState.RUNNING:
        time.sleep(0.01)
    return record


def run(house: House) -> AuditResult:
    result = finished(house.audits, house.audits.start().audit_id).result
    assert result is not None
    return result


def test_an_audit_reads_the_active_people_of_the_present_model(house: House) -> None:
    for name in ("ada", "bob", "cleo"):
        enroll(house, name)
    enroll(house, "dora", shots=1)
    house.employees.change("cleo", EmployeeChange(status=EmployeeStatus.SUSPENDED))
    store_people(house, 1, model_version="another-model")
    result = run(house)
    assert (result.people_count, result.photo_count) == (3, 7)
    assert result.thresholds == AuditThresholds(
        identify=house.policy.identify().threshold.similarity,
        verify=house.policy.verify().threshold.similarity,
        duplicate=duplicate_similarity(MANIFEST, RiskPolicy(MANIFEST, RISK), 3),
        stated_fpir=RISK.fpir,
        stated_fmr=RISK.fmr,
        promise_for=RISK.promise_for,
    )
    assert [one.employee_id for one in result.weak_enrollments] == ["dora"]


def test_pages_of_the_registry_make_one_gallery(house: House) -> None:
    store_people(house, 450)
    assert run(house).people_count == 450


def test_one_audit_runs_at_a_time_and_progress_only_grows(house: House) -> None:
    enroll(house, "ada")
    held, reached = threading.Event(), threading.Event()

    def thresholds() -> AuditThresholds:
        reached.set()
        assert held.wait(30)
        return AuditThresholds(0.6, 0.5, 0.55, 0.01)

    audits = Audits(
        GalleryAudit(house.registry, MANIFEST.model_version, DIM, MANIFEST.calibration, thresholds)
    )
    first = audits.start()
    assert reached.wait(30)
    with pytest.raises(AuditRunningError, match=first.audit_id):
        audits.start()
    assert audits.read(first.audit_id).progress < 1
    held.set()
    record = finished(audits, first.audit_id)
    assert record.state is AuditState.FINISHED
    assert record.progress == 1
    assert record.finished_at is not None
    assert audits.start().audit_id != first.audit_id


def test_an_audit_of_an_empty_registry_fails_with_a_code(house: House) -> None:
    record = finished(house.audits, house.audits.start().audit_id)
    assert record.state is AuditState.FAILED
    assert record.failure == NothingToAuditError.code
    assert record.result is None


def test_only_the_last_few_results_are_kept(house: House) -> None:
    enroll(house, "ada")
    started = [house.audits.start().audit_id]
    for _ in range(5):
        finished(house.audits, started[-1])
        started.append(house.audits.start().audit_id)
    finished(house.audits, started[-1])
    with pytest.raises(AuditNotFoundError):
        house.audits.read(started[0])
    assert house.audits.read(started[1]).state is AuditState.FINISHED


def test_an_audit_takes_no_turn_of_recognition_and_leaves_the_index_free(house: House) -> None:
    enroll(house, "ada")
    with house.admission.permit(), house.admission.permit():  # all there are
        assert run(house).people_count == 1
    before = house.index.revision
    run(house)
    assert house.index.revision == before


def test_a_stopping_service_ends_its_audit(house: House) -> None:
    store_people(house, 600)
    record = house.audits.start()
    house.audits.close()
    stopped = house.audits.read(record.audit_id)
    assert (stopped.state, stopped.failure) == (AuditState.FAILED, "stopped")


def test_people_whom_somebody_told_apart_are_not_named_as_one(house: House) -> None:
    enroll(house, "ada")
    twin = [photo("ada", shot) for shot in range(10, 13)]
    house.enrollment.enroll(EnrollmentRequest("twin", "Twin", None, twin, confirmed_distinct=True))
    for name in ("bob", "cleo"):
        enroll(house, name)
    result = run(house)
    assert result.possible_duplicate_count == 0
    (pair,) = result.confusable_pairs
    assert {pair.first_employee_id, pair.second_employee_id} == {"ada", "twin"}
    assert pair.told_apart
    house.employees.unenroll("twin")
    assert run(house).confusable_count == 0
