"""What tests enroll."""

from __future__ import annotations

import numpy as np

from app.domain.embeddings import Embedding, as_embedding
from app.domain.employees import NewPhoto
from app.domain.faces import FaceQuality

MODEL = "embedder-1"
OTHER_MODEL = "embedder-2"
QUALITY = FaceQuality(
    size_pixels=160.5,
    sharpness=230.25,
    brightness=127.0,
    yaw_degrees=-3.5,
    pitch_degrees=4.25,
    roll_degrees=0.125,
    detector_score=0.9375,
)


def random_embedding(seed: int, dim: int = 256) -> Embedding:
    vector = np.random.default_rng(seed).normal(size=dim)
    return as_embedding(vector / np.linalg.norm(vector))


def new_photo(seed: int, model_version: str = MODEL) -> NewPhoto:
    return NewPhoto(random_embedding(seed), QUALITY, model_version)
