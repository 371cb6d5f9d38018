"""Chooses the pairs that are blended, which photos go together, and which results are kept."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import cv2
import numpy as np
from scipy.optimize import linear_sum_assignment

from training.foundation.arrays import ByteImage, FloatArray
from training.synthesis.looks import centre_of, cosines
from training.synthesis.parents import Parent, face_ellipse, family


@dataclass(frozen=True)
class Couple:
    """Two parents, each with the photos that go with the other's, best match first."""

    first: Parent
    second: Parent


def pair_up(
    parents: list[Parent], centres: FloatArray, within: tuple[float, float]
) -> list[tuple[int, int]]:
    """Return pairs of parents whose cosine lies ``within``, most alike first, each parent once.

    ``centres`` is ``(teachers, N, D)``; the mean of the teachers' cosines counts.
    """
    alike = cosines(centres, centres).mean(axis=0)
    order = np.dstack(np.unravel_index(np.argsort(-alike, axis=None), alike.shape))[0]
    taken: set[int] = set()
    pairs = []
    for one, other in order.tolist():
        if one >= other or taken & {one, other}:
            continue
        related = family(parents[one].identity) == family(parents[other].identity)
        if within[0] <= alike[one, other] <= within[1] and not related:
            taken |= {one, other}
            pairs.append((one, other))
    return pairs


def match_photos(first: Parent, second: Parent, max_photos: int) -> Couple:
    """Pair a couple's photos by pose, expression and light, ``max_photos`` of them at most."""
    costs = np.zeros((len(first.files), len(second.files)))
    for row, column in np.ndindex(costs.shape):
        apart = np.linalg.norm(first.landmarks[row] - second.landmarks[column], axis=1).mean()
        costs[row, column] = apart + 2 * _light_apart(first.crops[row], second.crops[column])
    rows, columns = linear_sum_assignment(costs)
    order = np.argsort(costs[rows, columns])[:max_photos]
    return Couple(first.select(rows[order]), second.select(columns[order]))


def _light_apart(first: ByteImage, second: ByteImage) -> float:
    """Return how differently the two faces are lit and drawn, coarsely: 0 for alike."""
    inside = face_ellipse(0.9)[::8, ::8] < 1
    coarse = []
    for crop in (first, second):
        small = cv2.resize(crop, None, fx=1 / 8, fy=1 / 8, interpolation=cv2.INTER_AREA)
        luma = np.asarray(small, dtype=np.float64).mean(axis=2)[inside]
        coarse.append((luma - luma.mean()) / (luma.std() + 1e-6))
    return float(np.abs(coarse[0] - coarse[1]).mean())


def most_alike(looks: FloatArray, count: int, copies_from: float) -> tuple[int, ...] | None:
    """Return the ``count`` photos whose least cosine is highest; no two are nearly copies.

    ``looks`` is ``(teachers, N, D)``; a cosine of ``copies_from`` by any teacher makes a copy.
    ``None`` where there are too few.
    """
    alike = cosines(looks, looks)
    lowest, highest = alike.min(axis=0), alike.max(axis=0)
    best: tuple[float, tuple[int, ...] | None] = (-1.0, None)
    for chosen in combinations(range(looks.shape[1]), count):
        rows, columns = np.transpose(list(combinations(chosen, 2)))
        if highest[rows, columns].max() >= copies_from:
            continue
        best = max(best, (float(lowest[rows, columns].min()), chosen), key=lambda entry: entry[0])
    return best[1]


def most_distinct(looks: list[FloatArray], enrolled: int, count: int) -> list[int]:
    """Return the ``count`` people that one threshold separates best.

    Each of ``looks`` is one person's ``(teachers, photos, D)``; the first ``enrolled``
    are enrolled. Again and again one person is left out, so that the margin (lowest genuine less
    highest impostor cosine by the worse teacher) grows most; of equals, the one with the worst.
    """
    own, others = likenesses(looks, enrolled)
    nearest = np.maximum(others, others.transpose(0, 2, 1))
    kept = list(range(len(looks)))
    while len(kept) > count:
        worth = [
            _margin(own, nearest, [other for other in kept if other != person]) for person in kept
        ]
        alone = (own[:, kept] - nearest[:, kept][:, :, kept].max(axis=2)).min(axis=0)
        kept.pop(int(np.lexsort((alone, -np.round(worth, 6)))[0]))
    return kept


def _margin(own: FloatArray, nearest: FloatArray, people: list[int]) -> float:
    genuine = own[:, people].min(axis=1)
    impostor = nearest[:, people][:, :, people].max(axis=(1, 2))
    return float((genuine - impostor).min())


def likenesses(looks: list[FloatArray], enrolled: int) -> tuple[FloatArray, FloatArray]:
    """Return how like their later photos people are to their own enrollment, and others to it.

    The first is ``(teachers, N)``: the least cosine of a later photo to the mean of the enrolled
    ones. The second is ``(teachers, N, N)``: the highest cosine of any photo of person j to the
    enrollment of person i; -1 on the diagonal.
    """
    centres = np.concatenate([centre_of(person[:, :enrolled]) for person in looks], axis=1)
    own, others = [], []
    for position, person in enumerate(looks):
        alike = cosines(centres, person)
        own.append(alike[:, position, enrolled:].min(axis=1))
        highest = alike.max(axis=2)
        highest[:, position] = -1.0
        others.append(highest)
    return np.stack(own, axis=1), np.stack(others, axis=2)
