"""Made galleries in which something is wrong on purpose."""

from __future__ import annotations

import dataclasses

import numpy as np

from app.domain.audit.audit import audit
from app.domain.audit.gallery import AuditedPhoto, AuditGallery
from app.domain.audit.result import AuditResult, AuditThresholds
from app.domain.calibration import Calibration, PlattCalibration
from app.domain.embeddings import Embedding, as_embedding
from app.domain.faces import FaceQuality

DIM = 256
GOOD = FaceQuality(200.0, 200.0, 120.0, 0.0, 0.0, 0.0, 0.95)
THRESHOLDS = AuditThresholds(identify=0.69, verify=0.62, duplicate=0.66, stated_fpir=0.01)
CALIBRATION = Calibration((PlattCalibration(1, 23.0, -5.3), PlattCalibration(3, 23.5, -6.6)))


def unit(vector: np.ndarray) -> Embedding:
    return as_embedding(vector / np.linalg.norm(vector))


def made_people(count: int, photos: int, seed: int = 1) -> dict[str, list[Embedding]]:
    """Return photos of random people: about 0.75 with their own, 0 with others.

    More photos of the same seed are further photos of the same people.
    """
    people = {}
    for number in range(count):
        random = np.random.default_rng([seed, number])
        centre = random.normal(size=DIM)
        centre /= np.linalg.norm(centre)
        people[f"E-{number}"] = [
            unit(centre + 0.58 / np.sqrt(DIM) * random.normal(size=DIM)) for _ in range(photos)
        ]
    return people


def blend(first: Embedding, second: Embedding, share: float) -> Embedding:
    """Return a photo that lies between two."""
    return unit((1 - share) * first.astype(float) + share * second.astype(float))


def gallery_of(
    people: dict[str, list[Embedding]], qualities: dict[str, FaceQuality] | None = None
) -> AuditGallery:
    """Return the gallery; a photo's id is its person's with the position."""
    return AuditGallery.of(
        [
            AuditedPhoto(name, f"{name}/{position}", (qualities or {}).get(name, GOOD), embedding)
            for name, photos in people.items()
            for position, embedding in enumerate(photos)
        ]
    )


def audited(gallery: AuditGallery, thresholds: AuditThresholds = THRESHOLDS) -> AuditResult:
    return audit(gallery, thresholds, CALIBRATION, lambda _done: None)


def blurred(quality: FaceQuality) -> FaceQuality:
    return dataclasses.replace(quality, sharpness=26.0)
