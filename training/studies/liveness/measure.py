"""How many heads and how many pictures pass the active challenge, by kind."""

from __future__ import annotations

import numpy as np

from app.domain.challenges import MOTION_LIMITS, Instruction, MotionLimits, require_motion
from app.domain.errors import LivenessFailedError
from app.domain.head_motion import HeadView
from app.vision.quality import pose_degrees
from training.foundation.arrays import FloatArray
from training.metrics.intervals import clopper_pearson
from training.studies.liveness.results import MotionCheck, NoiseLevel
from training.studies.liveness.scenarios import Scenario, scenarios

ASKED = (Instruction.TURN_LEFT, Instruction.LOOK_STRAIGHT)


def measure_motion(
    scatter: float, bursts: int, seed: int, limits: MotionLimits = MOTION_LIMITS
) -> NoiseLevel:
    """Return what passes of ``bursts`` of each kind where landmarks scatter by ``scatter``.

    ``scatter`` is the standard deviation of every coordinate, in face heights. The heads and photos
    are the same at every scatter.
    """
    return NoiseLevel(
        scatter=scatter,
        checks=tuple(
            _check(scenario, scatter, bursts, seed + number, limits)
            for number, scenario in enumerate(scenarios())
        ),
    )


def _check(
    scenario: Scenario, scatter: float, bursts: int, seed: int, limits: MotionLimits
) -> MotionCheck:
    random, noise = np.random.default_rng(seed), np.random.default_rng(seed + 1_000)
    passed = 0
    for _ in range(bursts):
        views = [_seen(image, scatter, noise) for image in scenario.images(random)]
        passed += _passes(views, limits)
    return MotionCheck(
        kind=scenario.kind, attack=scenario.attack, passed=clopper_pearson(passed, bursts)
    )


def _seen(image: FloatArray, scatter: float, noise: np.random.Generator) -> HeadView:
    """Return landmarks as a detector that scatters would see them."""
    height = float(np.linalg.norm(image[3:].mean(axis=0) - image[:2].mean(axis=0)))
    points = image + noise.normal(0.0, scatter * height, image.shape)
    landmarks = tuple((float(x), float(y)) for x, y in points)
    return HeadView(landmarks, pose_degrees(landmarks)[0])


def _passes(views: list[HeadView], limits: MotionLimits) -> bool:
    try:
        require_motion(ASKED, views, limits)
    except LivenessFailedError:
        return False
    return True
