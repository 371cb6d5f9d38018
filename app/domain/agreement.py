"""Whether photos that are said to show one person do: the guard before they become one centroid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.domain.calibration import Calibration
from app.domain.embeddings import Embedding, directions

#: Equal evidence for one person and for two: below it a photo more probably shows another person.
_EQUAL_EVIDENCE = 0.0


@dataclass(frozen=True)
class Agreement:
    """Which photos, by position, show somebody else than the rest, ascending.

    ``undecided``: no side has a majority, so that nobody can tell which photo is wrong and all of
    them are named.
    """

    outliers: tuple[int, ...]
    undecided: bool


@dataclass(frozen=True)
class _Group:
    """Photos that agree: their positions and the sum ``(D,)`` of their embeddings."""

    members: tuple[int, ...]
    total: npt.NDArray[np.float64]
    photo_count: int

    @property
    def direction(self) -> npt.NDArray[np.float64]:
        return directions(self.total)

    def joined(self, other: _Group) -> _Group:
        return _Group(
            self.members + other.members,
            self.total + other.total,
            self.photo_count + other.photo_count,
        )


def find_outliers(
    photos: Sequence[Embedding], enrolled: Sequence[Embedding], calibration: Calibration
) -> Agreement:
    """Return which of ``photos`` show somebody else than the others, or than who is enrolled.

    Two sides agree where the calibration finds one person more likely than two for the similarity
    of their mean directions, by the line for the number of photos of the larger side. Who is
    enrolled is certain: a new photo must agree with the enrolled ones, or with them and the new
    ones already found to agree. With nobody enrolled the photos are gathered into groups, the
    nearest first (agglomerative clustering by centroids), and the group of more than half of them
    is the person.
    """
    single = [
        _Group((position,), embedding.astype(np.float64), 1)
        for position, embedding in enumerate(photos)
    ]
    if enrolled:
        total = np.sum(np.stack(enrolled).astype(np.float64), axis=0)
        person = _Group((), total, len(enrolled))
        return _outside(_gathered_around(person, single, calibration), len(photos))
    if not single:
        return Agreement((), undecided=False)
    largest = max(_gathered(single, calibration), key=lambda group: group.photo_count)
    if 2 * largest.photo_count <= len(photos):
        return Agreement(tuple(range(len(photos))), undecided=True)
    return _outside(largest, len(photos))


def _outside(group: _Group, photo_count: int) -> Agreement:
    others = set(range(photo_count)) - set(group.members)
    return Agreement(tuple(sorted(others)), undecided=False)


def _gathered_around(person: _Group, single: list[_Group], calibration: Calibration) -> _Group:
    """Return ``person`` with every photo that agrees with it, the nearest joined first."""
    waiting = list(single)
    while waiting:
        ratios = [_evidence(person, photo, calibration) for photo in waiting]
        nearest = int(np.argmax(ratios))
        if ratios[nearest] < _EQUAL_EVIDENCE:
            break
        person = person.joined(waiting.pop(nearest))
    return person


def _gathered(groups: list[_Group], calibration: Calibration) -> list[_Group]:
    """Return ``groups`` after joining the two that agree most until no two agree."""
    groups = list(groups)
    while len(groups) > 1:
        evidence, first, second = max(
            (_evidence(groups[i], groups[j], calibration), -i, -j)
            for i in range(len(groups))
            for j in range(i + 1, len(groups))
        )
        if evidence < _EQUAL_EVIDENCE:
            break
        joined = groups[-first].joined(groups.pop(-second))
        groups[-first] = joined
    return groups


def _evidence(first: _Group, second: _Group, calibration: Calibration) -> float:
    """Return the log-likelihood ratio of one person over two."""
    likeness = np.asarray([first.direction @ second.direction])
    counts = np.asarray([max(first.photo_count, second.photo_count)])
    return float(calibration.log_likelihood_ratios(likeness, counts)[0])
