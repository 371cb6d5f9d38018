"""Active challenges: which way to look, and whether the frames of an answer obey."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.domain.errors import LivenessFailedError
from app.domain.head_motion import HeadView, apparent_nose_depth, nose_parallax

#: Frames that answer a challenge must be of one person at odds of 999 to 1: who turns the head may
#: not be somebody else than who is then recognised. A natural logarithm.
CHALLENGE_LINK = math.log(999)


class Instruction(StrEnum):
    """Where to look; left and right are the person's own."""

    TURN_LEFT = "turn_left"
    TURN_RIGHT = "turn_right"
    LOOK_STRAIGHT = "look_straight"


#: The instructions that may be given: two bits, so that a recording of one answer fits one
#: challenge in four.
SEQUENCES: tuple[tuple[Instruction, ...], ...] = (
    (Instruction.TURN_LEFT, Instruction.LOOK_STRAIGHT),
    (Instruction.TURN_RIGHT, Instruction.LOOK_STRAIGHT),
    (Instruction.TURN_LEFT, Instruction.TURN_RIGHT, Instruction.LOOK_STRAIGHT),
    (Instruction.TURN_RIGHT, Instruction.TURN_LEFT, Instruction.LOOK_STRAIGHT),
)


@dataclass(frozen=True)
class MotionLimits:
    """What the motion of a head must show; ``training study liveness`` measures what they cost.

    ``straight_degrees``: the most that a straight look is turned. ``turn_degrees``: the least that
    a turn is, against the last frame; what lies between a turn and ``return_degrees`` is on its way
    and counts as neither. ``parallax`` and ``nose_depth`` in face heights.
    """

    straight_degrees: float = 25.0
    return_degrees: float = 10.0
    turn_degrees: float = 15.0
    parallax: float = 0.10
    nose_depth: float = 0.28


MOTION_LIMITS = MotionLimits()


def require_motion(
    instructions: Sequence[Instruction],
    views: Sequence[HeadView],
    limits: MotionLimits = MOTION_LIMITS,
) -> None:
    """Raise ``LivenessFailedError`` unless the frames, in order, obey the instructions.

    The last frame is the straight one; all others are compared with it. A straight look before the
    first turn, frames on the way and several frames of one look are welcome. Each turn, at its
    widest, must move the nose against the plane of eyes and mouth as no flat picture can, and as
    far as the foreshortening says that the head turned, which a bent picture does not reach. The
    camera's picture must not be mirrored.
    """
    if len(views) < len(instructions):
        raise LivenessFailedError(
            f"{len(instructions)} looks were asked for; frames that can be used: {len(views)}"
        )
    straight = views[-1]
    if abs(straight.yaw_degrees) > limits.straight_degrees:
        raise LivenessFailedError("the last frame must look straight into the camera")
    runs = _looks(views, limits)
    if [look for look, _ in runs] != list(instructions):
        seen = ", ".join(look for look, _ in runs)
        raise LivenessFailedError(
            f"the frames show {seen}; asked for was {', '.join(instructions)}"
        )
    for look, frames in runs:
        if look is not Instruction.LOOK_STRAIGHT:
            widest = max(frames, key=lambda v: abs(v.yaw_degrees - straight.yaw_degrees))
            _require_depth(straight, widest, look, limits)


def _looks(
    views: Sequence[HeadView], limits: MotionLimits
) -> list[tuple[Instruction, list[HeadView]]]:
    """Return the looks in order, each with its frames; a straight one at the start is left out."""
    runs: list[tuple[Instruction, list[HeadView]]] = []
    for view in views:
        turned = view.yaw_degrees - views[-1].yaw_degrees
        if abs(turned) <= limits.return_degrees:
            look = Instruction.LOOK_STRAIGHT
        elif turned >= limits.turn_degrees:  # the person's left is the image's right
            look = Instruction.TURN_LEFT
        elif turned <= -limits.turn_degrees:
            look = Instruction.TURN_RIGHT
        else:
            continue
        if runs and runs[-1][0] is look:
            runs[-1][1].append(view)
        else:
            runs.append((look, [view]))
    if len(runs) > 1 and runs[0][0] is Instruction.LOOK_STRAIGHT:
        del runs[0]
    # On the way from one side to the other the head passes the middle.
    last = len(runs) - 1
    return [
        run for i, run in enumerate(runs) if run[0] is not Instruction.LOOK_STRAIGHT or i == last
    ]


def _require_depth(
    straight: HeadView, turned: HeadView, look: Instruction, limits: MotionLimits
) -> None:
    side = 1.0 if look is Instruction.TURN_LEFT else -1.0
    parallax = side * nose_parallax(straight, turned)
    depth = apparent_nose_depth(straight, turned)
    if not (parallax >= limits.parallax and depth >= limits.nose_depth):  # NaN does not pass
        raise LivenessFailedError(
            "the motion is that of a flat or bent picture; turn the head further and hold it still"
        )
