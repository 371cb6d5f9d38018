"""Who might stand there as well: the second in rank, and the look-alikes that were recorded."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from app.domain.calibration import Calibration
from app.domain.embeddings import Embedding, centroid, similarity
from app.domain.employees import Employee, EmployeeStatus
from app.domain.model_manifest import Threshold
from app.domain.verdict import AMBIGUITY_MARGIN
from app.services.answers import Candidate
from app.services.ports import RegistrySession
from app.services.scenes import SeenFace
from app.services.usable_photos import UsablePhotos


def recorded_look_alikes(
    session: RegistrySession, ranked: tuple[Candidate, ...]
) -> dict[int, Employee]:
    """Return the recorded look-alikes of the first by key, whatever their status."""
    if not ranked:
        return {}
    key = ranked[0].employee.key
    return session.employees_by_key(sorted(session.look_alikes_of([key]).get(key, ())))


def any_unseen(alike: Mapping[int, Employee], compared: npt.NDArray[np.int64]) -> bool:
    """Return whether one of these look-alikes might stand there and was not ``compared``.

    Who is suspended, or has no photo of the present model, is in no index, and would be taken for
    the first without a rival. ``compared`` holds the keys ``(N,)`` of the index.
    """
    if any(one.status is not EmployeeStatus.ACTIVE for one in alike.values()):
        return True
    return not np.isin(list(alike), compared).all()


def rival_of_the_first(
    ranked: tuple[Candidate, ...],
    alike: Collection[int],
    asked: Callable[[Candidate], Threshold],
) -> Candidate | None:
    """Return the first one's recorded look-alike, where it reaches its threshold as well.

    ``asked`` gives the threshold of a candidate.
    """
    rivals = (
        one
        for one in ranked[1:]
        if one.employee.key in alike and one.similarity >= asked(one).similarity
    )
    return next(rivals, None)


def margin_of_the_first(ranked: tuple[Candidate, ...]) -> float | None:
    """Return by how much the log likelihood ratio of the first exceeds that of the second.

    The prior is the same for everybody, so that it is the log of the quotient of probabilities.
    None where there is no second.
    """
    if len(ranked) < 2:
        return None
    first, second = ranked[0].probability, ranked[1].probability
    return math.inf if second == 0 else math.log(first / second)


def contenders_of(ranked: tuple[Candidate, ...], rival: Candidate | None) -> tuple[Candidate, ...]:
    """Return who cannot be told apart, where the verdict is ambiguous.

    The first and its ``rival``, or the first and the second where they are too close. Else the
    first alone: what makes it ambiguous is a look-alike whom no comparison saw, and the second has
    no part in it.
    """
    if rival is not None:
        return (ranked[0], rival)
    margin = margin_of_the_first(ranked)
    return ranked[:2] if margin is not None and margin < AMBIGUITY_MARGIN else ranked[:1]


def look_alike_photos(
    session: RegistrySession, employee_key: int, usable: UsablePhotos
) -> list[list[Embedding]]:
    """Return the photos of each recorded look-alike of one employee, whatever its status."""
    alike = session.look_alikes_of([employee_key]).get(employee_key, frozenset())
    return [
        [embedding for _, embedding in usable.of_employee(session, key)] for key in sorted(alike)
    ]


def margin_of_a_claim(
    face: SeenFace,
    claimed: Sequence[Embedding],
    alike: Sequence[Sequence[Embedding]],
    calibration: Calibration,
) -> float | None:
    """Return by how much the log likelihood ratio of the claimed exceeds the nearest look-alike's.

    ``claimed`` and each of ``alike`` are somebody's photos. None where nobody looks alike; 0 where
    a look-alike has no photos to compare with, since nothing then speaks against that one.
    """
    if not alike:
        return None
    if not all(alike):
        return 0.0
    everyone = [claimed, *alike]
    scores = [similarity(face.embedding, centroid(list(photos))) for photos in everyone]
    ratios = calibration.log_likelihood_ratios(
        np.asarray(scores), np.asarray([len(photos) for photos in everyone]), face.frames_used
    )
    return float(ratios[0] - ratios[1:].max())
