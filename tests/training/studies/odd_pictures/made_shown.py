"""What became of pictures, made by hand."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from app.domain.model_manifest import Threshold
from app.domain.policy import RiskPolicy, RiskTargets
from app.domain.tails import ImpostorTail
from tests.services.fakes import MANIFEST
from training.foundation.arrays import Matrix
from training.studies.odd_pictures.measure import ShownPeople

DIM = 64
TARGETS = RiskTargets(0.01, 0.001, min_similarity=0.5)
#: Asks for .5 of everybody against whatever gallery.
POLICY = RiskPolicy(
    dataclasses.replace(
        MANIFEST,
        tails=(ImpostorTail("made", ((0.1, -0.5), (1e-6, 0.4)), 1e-6),),
        identify=Threshold(0.0, 0.1, "made"),
    ),
    TARGETS,
)


def everybody(count: int, first: int = 0) -> Matrix:
    """Return ``count`` people who are nothing alike."""
    return np.eye(DIM, dtype=np.float32)[first : first + count]


def shown(
    faces: Matrix, refused: Sequence[int] = (), not_enrolled: Sequence[int] = ()
) -> ShownPeople:
    """Return these faces, but for those refused at the door, or at enrollment only."""
    count = len(faces)
    enters = np.array([n not in refused for n in range(count)])
    enrolls = enters & np.array([n not in not_enrolled for n in range(count)])
    return ShownPeople(
        visiting=faces * enters[:, None],
        enrolled=faces * enrolls[:, None],
        at_the_door=tuple(None if enters[n] else "no_face" for n in range(count)),
        at_enrollment=tuple(
            None if enrolls[n] else "no_face" if n in refused else "face_blurred"
            for n in range(count)
        ),
    )


def all_alike(count: int) -> Matrix:
    """Return ``count`` pictures in one cluster, unlike everybody."""
    return np.repeat(np.eye(DIM, dtype=np.float32)[-1:], count, axis=0)
