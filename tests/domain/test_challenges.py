from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from app.domain.challenges import Instruction, require_motion
from app.domain.errors import LivenessFailedError
from app.domain.head_motion import HeadView, apparent_nose_depth, fit_head, nose_parallax
from app.vision.quality import pose_degrees
from tests.domain.turned_head import HEAD, Points, bent, printed, project

LEFT, RIGHT, STRAIGHT = Instruction.TURN_LEFT, Instruction.TURN_RIGHT, Instruction.LOOK_STRAIGHT
PHOTO = printed(project(HEAD, distance=12))


def view(
    points: Points,
    yaw: float = 0.0,
    pitch: float = 0.0,
    roll: float = 0.0,
    distance: float = 10.0,
) -> HeadView:
    image = project(points, math.radians(yaw), pitch, roll, distance)
    landmarks = tuple((float(x), float(y)) for x, y in image)
    return HeadView(landmarks, pose_degrees(landmarks)[0])


def head(*yaws: float) -> list[HeadView]:
    return [view(HEAD, yaw) for yaw in yaws]


@pytest.mark.parametrize(
    ("asked", "yaws"),
    [
        ([LEFT, STRAIGHT], (35, 0)),
        ([LEFT, STRAIGHT], (0, 20, 40, 12, 0)),
        ([RIGHT, STRAIGHT], (-30, 0)),
        ([LEFT, RIGHT, STRAIGHT], (35, 0, -35, 0)),
        ([RIGHT, LEFT, STRAIGHT], (0, -40, 40, 0)),
    ],
)
def test_a_head_that_does_as_asked_passes(asked: list[Instruction], yaws: Sequence[float]) -> None:
    require_motion(asked, head(*yaws))


@pytest.mark.parametrize(
    ("asked", "yaws", "reason"),
    [
        ([LEFT, STRAIGHT], (-35, 0), "asked for was turn_left"),
        ([LEFT, STRAIGHT], (0, 0, 0), "the frames show look_straight"),
        ([LEFT, STRAIGHT], (0, 45), "straight into the camera"),
        ([LEFT, STRAIGHT], (0,), "be used: 1"),
        ([RIGHT, LEFT, STRAIGHT], (35, -35, 0), "show turn_left, turn_right"),
        ([LEFT, RIGHT, STRAIGHT], (35, 30, 0), "show turn_left, look_straight"),
    ],
)
def test_a_head_that_does_otherwise_fails(
    asked: list[Instruction], yaws: Sequence[float], reason: str
) -> None:
    with pytest.raises(LivenessFailedError, match=reason):
        require_motion(asked, head(*yaws))


@pytest.mark.parametrize("yaw", [-60, -35, 20, 45, 60])
@pytest.mark.parametrize("distance", [2.5, 5.0, 12.0])
def test_a_flat_picture_has_no_parallax_however_it_is_held(yaw: float, distance: float) -> None:
    straight = view(PHOTO, distance=distance)
    tilted = view(PHOTO, yaw, pitch=0.2, roll=-0.3, distance=distance * 0.9)
    assert abs(nose_parallax(straight, tilted)) < 1e-9
    with pytest.raises(LivenessFailedError):
        require_motion([LEFT, STRAIGHT], [tilted, straight])


@pytest.mark.parametrize("yaw", [25, 35, 45])
def test_a_bent_picture_seems_flatter_than_a_head(yaw: float) -> None:
    straight, curved = view(PHOTO), view(bent(PHOTO, 1.2), yaw)
    assert apparent_nose_depth(straight, curved) < 0.2
    assert apparent_nose_depth(*head(0, yaw)) > 0.3


@pytest.mark.parametrize("yaw", [-50, -20, 0, 30, 50])
def test_the_turn_between_two_views_is_found(yaw: float) -> None:
    found = fit_head(view(HEAD), view(HEAD, yaw, roll=0.2, distance=8))
    assert abs(found.yaw_degrees - yaw) <= 6
    assert found.residual < 0.03


def test_landmarks_that_coincide_pass_for_nothing() -> None:
    nowhere = HeadView(((1.0, 1.0),) * 5, 0.0)
    turned = HeadView(((1.0, 1.0),) * 5, 40.0)
    assert math.isnan(nose_parallax(nowhere, turned))
    with pytest.raises(LivenessFailedError, match="flat"):
        require_motion([LEFT, STRAIGHT], [turned, nowhere])
