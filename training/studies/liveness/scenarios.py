"""Who may stand before the camera: heads that turn, and pictures that are made to seem so."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from training.foundation.arrays import FloatArray
from training.studies.liveness.projection import Holding, bent, made_head, printed, project

Random = np.random.Generator

#: In distances between the eyes: about 30 cm to 1 m.
_NEAREST, _FARTHEST = 5.0, 16.0
_PHOTO_DISTANCE = 12.0


@dataclass(frozen=True)
class Scenario:
    """A way to answer "turn left, look straight": two images of landmarks, turned and straight."""

    kind: str
    attack: bool
    images: Callable[[Random], tuple[FloatArray, FloatArray]]


def scenarios() -> list[Scenario]:
    """Return every kind that is measured; the attacker knows the challenge and follows it."""
    heads = [
        Scenario(f"head, turned by {degrees} degrees", False, _head(degrees))
        for degrees in (20, 30, 40, 50)
    ]
    return [
        *heads,
        Scenario("flat photo, held still or moved about", True, _flat(0, 0)),
        Scenario("flat photo, tilted by 20 to 60 degrees", True, _flat(20, 60)),
        Scenario("flat photo, tilted, 12 to 20 cm from the lens", True, _flat(20, 60, near=True)),
        Scenario("bent photo, radius 126 mm, turned by 20 to 65 degrees", True, _bent(2.0)),
        Scenario("bent photo, radius 76 mm (a head's)", True, _bent(1.2)),
        Scenario("bent photo, radius 50 mm", True, _bent(0.8)),
        Scenario("bent photo, radius 32 mm (a bottle's)", True, _bent(0.5)),
        Scenario("bent photo, radius 76 mm, around an oblique axis", True, _bent(1.2, 0.6)),
        Scenario("flat photo, then bent (32 to 126 mm) and turned", True, _bent_late),
        Scenario("two photos from two sides, or a replayed video", True, _head(40)),
    ]


def _hold(random: Random, degrees: float, distance: float) -> Holding:
    """Return a turn by so many degrees, give or take 4, with the sway of a hand or a neck."""
    return Holding(
        yaw=math.radians(random.normal(degrees, 4.0)),
        pitch=random.normal(0.0, 0.09),
        roll=random.normal(0.0, 0.07),
        distance=distance * random.uniform(0.9, 1.1),
        shift=(float(random.normal(0, 0.5)), float(random.normal(0, 0.5))),
    )


def _distance(random: Random) -> float:
    return float(random.uniform(_NEAREST, _FARTHEST))


def _photo(random: Random) -> FloatArray:
    """Return a sheet with a face that looks into its camera, more or less."""
    return printed(project(made_head(random), _hold(random, 0.0, _PHOTO_DISTANCE)))


def _head(degrees: float) -> Callable[[Random], tuple[FloatArray, FloatArray]]:
    def images(random: Random) -> tuple[FloatArray, FloatArray]:
        head, distance = made_head(random), _distance(random)
        turned = project(head, _hold(random, degrees, distance))
        return turned, project(head, _hold(random, 0.0, distance))

    return images


def _flat(
    min_tilt: float, max_tilt: float, *, near: bool = False
) -> Callable[[Random], tuple[FloatArray, FloatArray]]:
    def images(random: Random) -> tuple[FloatArray, FloatArray]:
        sheet = _photo(random)
        distance = float(random.uniform(1.9, 3.2)) if near else _distance(random)
        tilted = project(sheet, _hold(random, random.uniform(min_tilt, max_tilt), distance))
        return tilted, project(sheet, _hold(random, 0.0, distance))

    return images


def _bent(radius: float, axis: float = 0.0) -> Callable[[Random], tuple[FloatArray, FloatArray]]:
    def images(random: Random) -> tuple[FloatArray, FloatArray]:
        curved = bent(_photo(random), radius * random.normal(1.0, 0.03), random.normal(axis, 0.05))
        distance = _distance(random)
        turned = project(curved, _hold(random, random.uniform(20, 65), distance))
        return turned, project(curved, _hold(random, 0.0, distance))

    return images


def _bent_late(random: Random) -> tuple[FloatArray, FloatArray]:
    sheet, distance = _photo(random), _distance(random)
    curved = bent(sheet, random.uniform(0.5, 2.0), random.normal(0.0, 0.1))
    turned = project(curved, _hold(random, random.uniform(0, 65), distance))
    return turned, project(sheet, _hold(random, 0.0, distance))
