"""How several photos of a person become the score of a probe: the rules that are compared.

A gallery is ``(people, n, D)`` unit embeddings and a weight ``(people, n)`` for each photo, 0 where
it does not count. A person without any weight is not enrolled and scores ``NOT_ENROLLED``.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from app.domain.embeddings import mean_directions
from training.foundation.arrays import FloatArray, Matrix

Rule = Literal[
    "mean",
    "quality-weighted mean",
    "trimmed mean",
    "geometric median",
    "max over photos",
    "mean over photos",
    "half mean, half max",
]
RULES: tuple[Rule, ...] = get_args(Rule)
NOT_ENROLLED = -2.0
_MIN_TO_TRIM = 3
_STEPS = 50


def score(
    probes: Matrix, gallery: Matrix, weights: FloatArray, quality: FloatArray, rule: Rule
) -> Matrix:
    """Return the scores ``(P, people)`` of probes ``(P, D)`` by one rule.

    ``quality`` ``(people, n)`` is what the quality-weighted mean weighs by, beside ``weights``.
    """
    enrolled = weights.sum(axis=1) > 0
    if rule in {"max over photos", "mean over photos"}:
        scores = _by_photo(probes, gallery, weights, rule)
    elif rule == "half mean, half max":
        highest = _by_photo(probes, gallery, weights, "max over photos")
        middle = probes @ mean_directions(gallery, weights).T
        scores = ((highest + middle) / 2).astype(np.float32)
    else:
        scores = probes @ _middles(gallery, weights, quality, rule).T
    scores[:, ~enrolled] = NOT_ENROLLED
    return scores


def _by_photo(probes: Matrix, gallery: Matrix, weights: FloatArray, rule: Rule) -> Matrix:
    highest = np.full((len(probes), len(gallery)), NOT_ENROLLED, np.float32)
    total = np.zeros_like(highest)
    for place in range(gallery.shape[1]):
        similarities = probes @ gallery[:, place].T
        counts = weights[:, place] > 0
        highest[:, counts] = np.maximum(highest[:, counts], similarities[:, counts])
        total += similarities * counts.astype(np.float32)
    if rule == "max over photos":
        return highest
    mean: Matrix = total / np.maximum((weights > 0).sum(axis=1), 1).astype(np.float32)
    return mean


def _middles(gallery: Matrix, weights: FloatArray, quality: FloatArray, rule: Rule) -> Matrix:
    """Return one direction ``(people, D)`` for everybody."""
    if rule == "quality-weighted mean":
        return mean_directions(gallery, weights * quality)
    if rule == "trimmed mean":
        return mean_directions(gallery, _trimmed(gallery, weights))
    if rule == "geometric median":
        return _geometric_medians(gallery, weights)
    return mean_directions(gallery, weights)


def _trimmed(gallery: Matrix, weights: FloatArray) -> FloatArray:
    """Return the weights without everybody's photo that is least like the others together."""
    likeness = np.full(weights.shape, np.inf)
    for place in range(gallery.shape[1]):
        others = weights.copy()
        others[:, place] = 0.0
        middles = mean_directions(gallery, others)
        found = np.einsum("pd,pd->p", gallery[:, place], middles)
        likeness[:, place] = np.where(weights[:, place] > 0, found, np.inf)
    trimmed = weights.copy()
    many = np.flatnonzero((weights > 0).sum(axis=1) >= _MIN_TO_TRIM)
    trimmed[many, likeness[many].argmin(axis=1)] = 0.0
    return trimmed


def _geometric_medians(gallery: Matrix, weights: FloatArray) -> Matrix:
    """Return the directions of the geometric medians (Weiszfeld's steps, 1937)."""
    middles = mean_directions(gallery, weights)
    for _ in range(_STEPS):
        distances = np.linalg.norm(gallery - middles[:, None], axis=2)
        middles = mean_directions(gallery, weights / np.maximum(distances, 1e-3))
    return middles
