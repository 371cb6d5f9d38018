"""Real photos as if they were frames of a challenge: one person turned, or two people spliced.

A tar with ``labels.jsonl`` holds photos of different days with the detector's landmarks.
Expression, age and lens differ as they never do within a second, so that what fails here fails less
at a door.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

import numpy as np

from app.domain.calibration import Calibration
from app.domain.challenges import CHALLENGE_LINK, MOTION_LIMITS, Instruction, MotionLimits
from app.domain.embeddings import as_embedding
from app.domain.faces import Picture
from app.domain.fusion import weakest_link
from app.domain.head_motion import HeadView
from app.vision.alignment import align_face
from app.vision.decode import DecodeLimits, decode_photo
from training.foundation.arrays import Matrix
from training.foundation.errors import DataError
from training.metrics.intervals import bootstrap_rate
from training.studies.liveness.pictures import passes, view_of
from training.studies.liveness.results import MotionCheck

#: The least and most difference of yaw of two photos.
TURN_DEGREES = (20.0, 60.0)
STRAIGHT_DEGREES = 15.0
SPLICES_EACH = 20

#: Unit embeddings ``(N, D)`` of aligned faces, uint8 RGB ``(3, 112, 112)``.
FaceEmbedder = Callable[[Sequence[Picture]], Matrix]


@dataclass(frozen=True)
class RealHead:
    """One face on one photo: whose it is, how it is held, and the photo's name in the tar."""

    person: int
    view: HeadView
    file: str


@dataclass(frozen=True)
class Turn:
    """Two photos as two frames: the straight one and the turned one."""

    straight: RealHead
    turned: RealHead

    def passes(self, limits: MotionLimits = MOTION_LIMITS) -> bool:
        """Whether the landmarks follow a challenge and move as a head."""
        turn = self.turned.view.yaw_degrees - self.straight.view.yaw_degrees
        look = Instruction.TURN_LEFT if turn > 0 else Instruction.TURN_RIGHT
        return passes(look, self.turned.view, self.straight.view, limits)


def read_heads(photos: Path) -> list[RealHead]:
    """Return every photo with one face; raises ``DataError`` where the tar has no labels."""
    heads: list[RealHead] = []
    people: dict[str, int] = {}
    with tarfile.open(photos) as archive:
        names = [name for name in archive.getnames() if Path(name).name == "labels.jsonl"]
        stream = archive.extractfile(names[0]) if names else None
        if stream is None:
            raise DataError(f"{photos} holds no labels.jsonl")
        for line in stream:
            label = json.loads(line)
            if len(label["faces"]) == 1:
                person = people.setdefault(str(label["identity"]), len(people))
                view = view_of(label["faces"][0]["landmarks"])
                heads.append(RealHead(person, view, str(label["file"])))
    return heads


def measure_real_heads(
    heads: Sequence[RealHead], limits: MotionLimits = MOTION_LIMITS
) -> MotionCheck:
    """Judge pairs of photos of one person, one straight and one turned, as if they were one scene.

    The interval resamples people. Raises ``DataError`` for no such pair.
    """
    turns = own_turns(heads)
    return MotionCheck(
        kind="two real photos of one person, 20 to 60 degrees apart",
        attack=False,
        passed=bootstrap_rate(
            np.array([turn.passes(limits) for turn in turns]),
            np.array([turn.turned.person for turn in turns], np.int64),
        ),
    )


def measure_links(
    heads: Sequence[RealHead],
    photos: Path,
    embed: FaceEmbedder,
    calibration: Calibration,
    seed: int,
    limits: MotionLimits = MOTION_LIMITS,
) -> tuple[MotionCheck, MotionCheck]:
    """Judge by turn and by identity, as the service does: one person, then two spliced.

    A splice: a live head turns as instructed, and the straight frame is a photo of an employee.
    The second interval resamples the person who turns the head. Raises ``DataError`` as above.
    """
    own = own_turns(heads)
    spliced = foreign_turns(own, heads, np.random.default_rng(seed))
    wanted = {head.file: head for turn in (*own, *spliced) for head in (turn.straight, turn.turned)}
    rows = dict(zip(wanted, embed(read_faces(photos, list(wanted.values()))), strict=True))

    def passed(turn: Turn) -> bool:
        frames = [as_embedding(rows[head.file]) for head in (turn.turned, turn.straight)]
        return turn.passes(limits) and weakest_link(frames, calibration) >= CHALLENGE_LINK

    def check(kind: str, turns: Sequence[Turn], *, attack: bool) -> MotionCheck:
        outcomes = np.array([passed(turn) for turn in turns])
        people = np.array([turn.turned.person for turn in turns], np.int64)
        return MotionCheck(kind=kind, attack=attack, passed=bootstrap_rate(outcomes, people))

    return (
        check("the same photos, by turn and by identity", own, attack=False),
        check("a live head that turns, the straight frame of another", spliced, attack=True),
    )


def own_turns(heads: Sequence[RealHead]) -> list[Turn]:
    """Return every straight and turned photo of one person; raises ``DataError`` for none."""
    of: dict[int, list[RealHead]] = {}
    for head in heads:
        of.setdefault(head.person, []).append(head)
    turns = [
        Turn(straight, turned)
        for seen in of.values()
        for straight, turned in permutations(seen, 2)
        if _is_turn(straight, turned)
    ]
    if not turns:
        raise DataError("there is no straight and turned photo of one person")
    return turns


def foreign_turns(
    own: Sequence[Turn], heads: Sequence[RealHead], random: np.random.Generator
) -> list[Turn]:
    """Return up to 20 turns for each turned photo whose straight photo shows somebody else."""
    turned = {turn.turned.file: turn.turned for turn in own}
    turns = []
    for head in turned.values():
        others = [other for other in heads if other.person != head.person and _is_turn(other, head)]
        for number in random.permutation(len(others))[:SPLICES_EACH]:
            turns.append(Turn(others[int(number)], head))
    return turns


def read_faces(photos: Path, heads: Sequence[RealHead]) -> list[Picture]:
    """Return the aligned face of each head, uint8 RGB ``(3, 112, 112)``."""
    with tarfile.open(photos) as archive:
        members = {Path(name).name: name for name in archive.getnames()}
        found = []
        for head in heads:
            stream = archive.extractfile(members[Path(head.file).name])
            if stream is None:
                raise DataError(f"{photos} holds no {head.file}")
            picture = decode_photo(stream.read(), DecodeLimits())
            found.append(align_face(picture, head.view.landmarks))
    return found


def _is_turn(straight: RealHead, turned: RealHead) -> bool:
    degrees = abs(turned.view.yaw_degrees - straight.view.yaw_degrees)
    is_straight = abs(straight.view.yaw_degrees) <= STRAIGHT_DEGREES
    return is_straight and TURN_DEGREES[0] <= degrees <= TURN_DEGREES[1]
