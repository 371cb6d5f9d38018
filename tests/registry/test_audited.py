from __future__ import annotations

import numpy as np

from app.domain.audit.gallery import AuditedPhoto
from app.domain.employees import EmployeeStatus
from app.registry.repository import SqlRegistry
from tests.registry.builders import MODEL, OTHER_MODEL, QUALITY, new_photo, random_embedding


def enroll(registry: SqlRegistry, employee_id: str, seeds: list[int], model: str = MODEL) -> int:
    with registry.session() as session:
        key = session.add_employee(employee_id, "A", None).key
        session.add_photos(key, [new_photo(seed, model) for seed in seeds])
        session.commit()
    return key


def test_pages_hold_every_photo_of_active_people_once(registry: SqlRegistry) -> None:
    enroll(registry, "E-1", [1, 2])
    suspended = enroll(registry, "E-2", [3])
    enroll(registry, "E-3", [4], model=OTHER_MODEL)
    enroll(registry, "E-4", [5])
    with registry.session() as session:
        session.update_employee(suspended, status=EmployeeStatus.SUSPENDED)
        session.commit()
    with registry.session() as session:
        photos: list[AuditedPhoto] = []
        key = pages = 0
        while True:
            page = session.audit_page(MODEL, key, 1)
            photos += page.photos
            pages += 1
            if page.next_key is None:
                break
            key = page.next_key
    assert [photo.employee_id for photo in photos] == ["E-1", "E-1", "E-4"]
    assert pages == 4  # one a person, and an empty one that ends it
    assert {photo.quality for photo in photos} == {QUALITY}
    assert len({photo.photo_id for photo in photos}) == 3
    for photo, seed in zip(photos, (1, 2, 5), strict=True):
        assert np.allclose(photo.embedding, random_embedding(seed))


def test_an_empty_registry_has_one_empty_page(registry: SqlRegistry) -> None:
    with registry.session() as session:
        page = session.audit_page(MODEL, 0, 10)
    assert page.photos == ()
    assert page.next_key is None
