from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from app.domain.calibration import Calibration, PlattCalibration
from app.domain.embeddings import Embedding, as_embedding, centroid, similarity
from app.domain.faces import FaceQuality
from app.domain.fusion import frame_weight, weakest_link

CALIBRATION = Calibration((PlattCalibration(1, 20.0, -6.0), PlattCalibration(3, 20.0, -7.0)))
GOOD = FaceQuality(200.0, 800.0, 120.0, 0.0, 0.0, 0.0, 0.95)


def direction(seed: int, beside: int = 0, spread: float = 0.3) -> Embedding:
    centre = np.random.default_rng(seed).normal(size=64)
    off = np.random.default_rng(1000 * seed + beside).normal(size=64)
    vector = centre / np.linalg.norm(centre) + spread * off / np.linalg.norm(off)
    return as_embedding(vector / np.linalg.norm(vector))


def person(seed: int, frames: int) -> list[Embedding]:
    return [direction(seed, frame) for frame in range(1, frames + 1)]


def test_a_fusion_is_nearer_to_the_person_than_its_frames() -> None:
    frames = person(1, 5)
    middle = direction(1, spread=0.0)
    fused = centroid(frames, [1.0] * 5)
    assert math.isclose(float(np.linalg.norm(fused)), 1.0, rel_tol=1e-6)
    assert similarity(fused, middle) > max(similarity(frame, middle) for frame in frames)


def test_one_frame_is_its_own_fusion_and_a_heavy_one_draws_it() -> None:
    first, second = person(1, 2)
    assert np.allclose(centroid([first], [0.3]), first, atol=1e-6)
    towards = centroid([first, second], [9.0, 1.0])
    assert similarity(towards, first) > similarity(towards, second)


@pytest.mark.parametrize("weights", [[], [1.0], [1.0, 0.0], [1.0, math.nan], [1.0, -1.0]])
def test_a_fusion_refuses_weights_that_mean_nothing(weights: list[float]) -> None:
    with pytest.raises(ValueError, match="weight"):
        centroid(person(1, 2), weights)


def test_frames_that_cancel_out_have_no_fusion() -> None:
    frame = direction(1)
    with pytest.raises(ValueError, match="cancel"):
        centroid([frame, as_embedding(-frame)], [1.0, 1.0])


@pytest.mark.parametrize("frames", [2, 3, 4, 5])
def test_one_person_holds_together_and_any_mixture_of_two_does_not(frames: int) -> None:
    assert weakest_link(person(1, frames), CALIBRATION) > 0
    for foreign in range(1, frames):
        mixed = person(1, frames - foreign) + person(2, foreign)
        assert weakest_link(mixed, CALIBRATION) < 0


def test_one_frame_has_nothing_to_contradict_it() -> None:
    assert weakest_link(person(1, 1), CALIBRATION) == math.inf


@pytest.mark.parametrize(
    "worse",
    [
        {"size_pixels": 40.0},
        {"sharpness": 40.0},
        {"yaw_degrees": -50.0},
        {"pitch_degrees": 30.0},
        {"detector_score": 0.6},
    ],
)
def test_whatever_is_worse_weighs_less(worse: dict[str, float]) -> None:
    weight = frame_weight(dataclasses.replace(GOOD, **worse))
    assert 0 < weight < frame_weight(GOOD) <= 1
