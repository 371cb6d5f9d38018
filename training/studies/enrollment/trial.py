"""Enrolls validation people from several photos, some of them wrong or poor, and looks for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from app.domain.agreement import find_outliers
from app.domain.calibration import Calibration
from app.domain.embeddings import as_embedding
from training.foundation.arrays import FloatArray, IntArray, Matrix
from training.metrics.estimates import Estimate
from training.metrics.intervals import bootstrap_mean, bootstrap_rate
from training.metrics.verification import threshold_at_far
from training.studies.enrollment.rules import RULES, Rule, score

Condition = Literal["clean", "wrong", "poor"]
CONDITIONS: tuple[Condition, ...] = ("clean", "wrong", "poor")
PHOTOS = (3, 5)
FPIR = 0.01
#: The share of enrollments with one photo of somebody else, or one poor photo.
SPOILT_SHARE = 0.2
DRAWS = 5
SEED = 20261122


@dataclass(frozen=True)
class TrialFaces:
    """Validation people and strangers as embeddings; one row is one photo.

    ``val`` and ``poor`` ``(V, D)``: the photos as they are, and made poor. ``quality`` and
    ``poor_quality`` ``(V,)`` weigh them. ``people`` ``(V,)`` says who they show; ``strangers``
    ``(S, D)`` are impostors and nobody of these.
    """

    val: Matrix
    poor: Matrix
    quality: FloatArray
    poor_quality: FloatArray
    people: IntArray
    strangers: Matrix


@dataclass(frozen=True)
class Outcome:
    """What one rule did: FNIR at FPIR 1 %, and how much more than the plain mean without a guard.

    ``let_in``: how often another photo of the person enrolled by mistake is taken for the
    employee, where there were such.
    """

    rule: Rule
    guarded: bool
    photos: int
    condition: Condition
    people: int
    fnir: Estimate
    more_than_mean: Estimate
    let_in: Estimate | None


@dataclass(frozen=True)
class _Enrollments:
    """One draw: photos ``(people, n, D)``, their quality, probes and their owners, intruders.

    ``intruders`` are probes of people enrolled by mistake, ``hosts`` those they are enrolled under.
    """

    gallery: Matrix
    quality: FloatArray
    probes: Matrix
    owners: IntArray
    intruders: Matrix
    hosts: IntArray


@dataclass
class _Tally:
    """What happened over all draws, one entry a probe."""

    missed: list[FloatArray]
    let_in: list[FloatArray]
    owners: list[IntArray]
    hosts: list[IntArray]


def run_trial(
    faces: TrialFaces, calibration: Calibration, tell: Callable[[str], object] = print
) -> tuple[Outcome, ...]:
    """Return the outcome of every rule, with and without the guard, in every condition.

    Each of ``DRAWS`` draws enrolls everybody who has more than ``n`` photos with ``n`` by chance;
    the rest are probes. Intruders are people with too few photos to be enrolled. Raises
    ``ValueError`` where nobody has enough photos.
    """
    outcomes: list[Outcome] = []
    for photos in PHOTOS:
        for condition in CONDITIONS:
            outcomes += _run_condition(faces, calibration, photos, condition)
            tell(f"{photos} photos, {condition}: done")
    return tuple(outcomes)


def _run_condition(
    faces: TrialFaces, calibration: Calibration, photos: int, condition: Condition
) -> list[Outcome]:
    random = np.random.default_rng([SEED, photos])
    kinds = [(rule, guarded) for guarded in (False, True) for rule in RULES]
    tallies = {kind: _Tally([], [], [], []) for kind in kinds}
    for _ in range(DRAWS):
        drawn = _draw(faces, photos, condition, random)
        guards = {False: np.ones(drawn.gallery.shape[:2]), True: guard(drawn.gallery, calibration)}
        for rule, guarded in kinds:
            _count(tallies[rule, guarded], drawn, guards[guarded], faces.strangers, rule)
    plain = np.concatenate(tallies["mean", False].missed)
    return [
        _outcome(tallies[rule, guarded], plain, rule, guarded, photos, condition)
        for rule, guarded in kinds
    ]


def _draw(
    faces: TrialFaces, photos: int, condition: Condition, random: np.random.Generator
) -> _Enrollments:
    """Draw who is enrolled from which photos; the same for every condition of one ``random``."""
    rows_of = [np.flatnonzero(faces.people == one) for one in np.unique(faces.people)]
    enrollable = [random.permutation(rows) for rows in rows_of if len(rows) > photos]
    others = [random.permutation(rows) for rows in rows_of if 2 <= len(rows) <= min(PHOTOS)]
    if not enrollable:
        raise ValueError(f"nobody has more than {photos} photos")
    enrolled = np.stack([rows[:photos] for rows in enrollable])
    gallery, quality = faces.val[enrolled], faces.quality[enrolled]
    spoilt = np.flatnonzero(random.random(len(enrollable)) < SPOILT_SHARE)
    places = random.integers(0, photos, len(spoilt))
    guests = random.permutation(len(others))[: len(spoilt)]
    probes_of_guests: list[int] = []
    hosts: list[int] = []
    if condition == "wrong":
        for host, place, guest in zip(spoilt.tolist(), places.tolist(), guests, strict=False):
            wrong, *rest = others[guest].tolist()
            gallery[host, place], quality[host, place] = faces.val[wrong], faces.quality[wrong]
            probes_of_guests += rest
            hosts += [host] * len(rest)
    if condition == "poor":
        rows = enrolled[spoilt, places]
        gallery[spoilt, places], quality[spoilt, places] = (
            faces.poor[rows],
            faces.poor_quality[rows],
        )
    return _Enrollments(
        gallery=gallery,
        quality=quality,
        probes=faces.val[np.concatenate([rows[photos:] for rows in enrollable])],
        owners=np.repeat(
            np.arange(len(enrollable)), [len(rows) - photos for rows in enrollable]
        ).astype(np.int64),
        intruders=faces.val[np.asarray(probes_of_guests, np.int64)],
        hosts=np.asarray(hosts, np.int64),
    )


def guard(gallery: Matrix, calibration: Calibration) -> FloatArray:
    """Return the weights ``(people, n)`` that the enrollment guard leaves: 1, or 0 for an outlier.

    Whose photos show no majority is not enrolled: all weights are 0.
    """
    weights = np.ones(gallery.shape[:2])
    for person, photos in enumerate(gallery):
        found = find_outliers([as_embedding(photo) for photo in photos], [], calibration)
        weights[person, list(found.outliers)] = 0.0
    return weights


def _count(
    tally: _Tally, drawn: _Enrollments, weights: FloatArray, strangers: Matrix, rule: Rule
) -> None:
    peaks = score(strangers, drawn.gallery, weights, drawn.quality, rule).max(axis=1)
    threshold = threshold_at_far(peaks, FPIR)
    scores = score(drawn.probes, drawn.gallery, weights, drawn.quality, rule)
    own = scores[np.arange(len(scores)), drawn.owners]
    missed = (scores.argmax(axis=1) != drawn.owners) | (own < threshold)
    tally.missed.append(missed.astype(np.float64))
    tally.owners.append(drawn.owners)
    if len(drawn.intruders):
        seen = score(drawn.intruders, drawn.gallery, weights, drawn.quality, rule)
        let_in = seen[np.arange(len(seen)), drawn.hosts] >= threshold
        tally.let_in.append(let_in.astype(np.float64))
        tally.hosts.append(drawn.hosts)


def _outcome(
    tally: _Tally, plain: FloatArray, rule: Rule, guarded: bool, photos: int, condition: Condition
) -> Outcome:
    missed, owners = np.concatenate(tally.missed), np.concatenate(tally.owners)
    return Outcome(
        rule=rule,
        guarded=guarded,
        photos=photos,
        condition=condition,
        people=int(owners.max()) + 1,
        fnir=bootstrap_rate(missed > 0, owners),
        more_than_mean=bootstrap_mean(missed - plain, owners),
        let_in=bootstrap_rate(np.concatenate(tally.let_in) > 0, np.concatenate(tally.hosts))
        if tally.let_in
        else None,
    )
