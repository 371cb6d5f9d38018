from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from app.bootstrap import make_gallery
from app.domain.policy import RiskPolicy, RiskTargets
from app.registry.database import create_registry_engine
from app.registry.repository import SqlRegistry
from app.registry.schema import upgrade_to_head
from app.search.faiss_index import FaissGalleryIndex
from app.services.admission import Admission
from app.services.audits import Audits, GalleryAudit, thresholds_in_force
from app.services.challenges import Challenges
from app.services.employees import Employees
from app.services.enrollment import Enrollment
from app.services.enrollment_guards import EnrollmentGuards
from app.services.extraction import FaceExtraction
from app.services.gallery import Gallery
from app.services.policy import DecisionPolicy
from app.services.ports import LivenessCheck, Vision
from app.services.recognition import Recognition
from tests.services.fakes import DIM, MANIFEST, FakeEmbedder, FakeVision


@dataclass(frozen=True)
class House:
    """One process of the service: real registry and index, fake eyes."""

    registry: SqlRegistry
    index: FaissGalleryIndex
    gallery: Gallery
    admission: Admission
    extraction: FaceExtraction
    enrollment: Enrollment
    policy: DecisionPolicy
    recognition: Recognition
    employees: Employees
    audits: Audits
    challenges: Challenges | None


#: One stranger in a hundred, one false claim in a thousand.
RISK = RiskTargets(0.01, 0.001)


def make_enrollment(
    extraction: FaceExtraction, gallery: Gallery, model_version: str = MANIFEST.model_version
) -> Enrollment:
    """Return the use case with the fakes' calibration and threshold."""
    guards = EnrollmentGuards(
        gallery, MANIFEST.calibration, lambda _people: MANIFEST.verify.similarity
    )
    return Enrollment(
        extraction, gallery, guards, model_version, MANIFEST.enrollment_limits, 20, 30
    )


@pytest.fixture
def open_house(tmp_path: Path) -> Iterator[Callable[..., House]]:
    """Return a way to start one more process on the same database."""
    url = f"sqlite:///{tmp_path / 'registry.sqlite3'}"
    upgrade_to_head(url)
    registries: list[SqlRegistry] = []

    def start(
        vision: Vision | None = None,
        admission: Admission | None = None,
        liveness: LivenessCheck | None = None,
    ) -> House:
        registry = SqlRegistry(create_registry_engine(url))
        registries.append(registry)
        index = FaissGalleryIndex(DIM)
        gallery = make_gallery(registry, index, MANIFEST)
        gallery.rebuild()
        admission = admission or Admission(2, 8, 5.0)
        extraction = FaceExtraction(vision or FakeVision(), FakeEmbedder(), admission)
        policy = DecisionPolicy(RiskPolicy(MANIFEST, RISK), index, 0.5, 0.5)
        return House(
            registry,
            index,
            gallery,
            admission,
            extraction,
            make_enrollment(extraction, gallery),
            policy,
            Recognition(
                extraction,
                registry,
                gallery,
                MANIFEST,
                policy,
                MANIFEST.verification_limits,
                liveness,
            ),
            Employees(registry, gallery, MANIFEST.recognisability),
            Audits(
                GalleryAudit(
                    registry,
                    MANIFEST.model_version,
                    MANIFEST.embedding_dim,
                    MANIFEST.calibration,
                    partial(thresholds_in_force, MANIFEST, policy),
                    MANIFEST.recognisability,
                )
            ),
            liveness if isinstance(liveness, Challenges) else None,
        )

    yield start
    for registry in registries:
        registry.close()


@pytest.fixture
def house(open_house: Callable[..., House]) -> House:
    return open_house()
