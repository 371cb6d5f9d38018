"""The calibration of one embedder, from validation people and strangers alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.domain.support import pairs_of, rarest_supported
from app.domain.tail_fit import MeasuredTail, measure_tail
from app.domain.tails import ImpostorTail
from training.calibration.checks import check_centroids, measure_costs
from training.calibration.results import (
    Calibration,
    CalibrationSupport,
    CentroidShift,
    ExcludedPairs,
    Genuine,
    PlattLine,
    Tail,
    Thresholds,
)
from training.calibration.scores import (
    FusedProbes,
    Scores,
    burst_scores,
    centroid_scores,
    photo_scores,
)
from training.calibration.thresholds import choose_thresholds
from training.calibration.uncertainty import BOUNDED_PAIRS, TOP_RATE, upper_bounds
from training.data.populations import Pool
from training.foundation.arrays import IntArray, Matrix
from training.metrics.pairs import pair_positions, pair_similarities, pairs_within
from training.metrics.platt import fit_platt, likelihood_ratio_cost
from training.recipes.build_recipe import CalibrateRecipe

GENUINE_RATES = (0.0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, *(k / 10 for k in range(1, 10)), 1.0)


@dataclass(frozen=True)
class CalibrationFaces:
    """Embeddings of validation people ``(V, D)`` and strangers ``(S, D)``, and who they are.

    ``duplicates`` are pairs of strangers' rows ``(K, 2)``, or None where nobody could look.
    ``bursts`` are the same people as bursts of some numbers of frames; without them a burst is
    spoken for by the lines of single frames. With ``support``, an operator's own people, no tail
    goes beyond what the rule of three makes of its pairs, and every point of it has its bound.
    """

    val: Matrix
    people: IntArray
    val_files: tuple[str, ...]
    strangers: Matrix
    stranger_files: tuple[str, ...]
    pools: list[Pool]
    duplicates: IntArray | None
    bursts: tuple[FusedProbes, ...] = ()
    support: CalibrationSupport | None = None


def calibrate_embedder(
    faces: CalibrationFaces, model: str, sha256: str | None, settings: CalibrateRecipe
) -> Calibration:
    """Return Platt lines, impostor tails, default thresholds and what they cost.

    Raises ``CalibrationError`` or ``ValueError`` where the data does not suffice.
    """
    found = faces.duplicates if faces.duplicates is not None else np.zeros((0, 2), np.int64)
    make_tail = _tail if faces.support is None else _supported_tail
    overall = make_tail("overall: all strangers", faces.strangers, found)
    pools = [
        make_tail(pool.name, faces.strangers[pool.rows], pairs_within(found, pool.rows))
        for pool in faces.pools
    ]
    photos = settings.centroid_photos
    scores = _scores(faces, photos)
    bursts = [each for fused in faces.bursts for each in _burst_scores(faces, fused, photos)]
    shifts = _shifts(scores)
    shift = shifts[-1].shift
    thresholds = choose_thresholds(overall, pools, shift, settings)
    lenient = choose_thresholds(overall, [], shift, settings)
    return Calibration(
        model=model,
        sha256=sha256,
        calibration=tuple(_line(each) for each in (*scores, *bursts)),
        impostor_tails=(overall, *pools),
        thresholds=thresholds,
        genuine=tuple(_genuine(each) for each in scores),
        centroid_shifts=shifts,
        centroid_checks=check_centroids([*scores, *bursts], thresholds),
        costs=measure_costs(scores, thresholds, lenient),
        excluded=_excluded(faces, thresholds, shift, settings),
        support=faces.support,
    )


def _supported_tail(name: str, faces: Matrix, duplicates: IntArray) -> Tail:
    """Return the tail down to the rate that the rule of three makes of its pairs, and no further.

    The bounds reach higher than usual: where people are few, no point is sure.
    """
    whole = _tail(name, faces, duplicates, min(1.0, BOUNDED_PAIRS / pairs_of(len(faces))))
    rarest = rarest_supported(whole.pairs)
    read = ImpostorTail(name, whole.points, whole.extrapolated_below, whole.uppers)
    rates = [*(rate for rate, _ in whole.points if rate > rarest), rarest]
    return whole.model_copy(
        update={
            "points": tuple((rate, read.threshold_at(rate)) for rate in rates),
            "uppers": tuple(read.upper_at(rate) for rate in rates),
            "evidence": f"{whole.evidence}; no rate below {rarest:.1e} (rule of three)",
        }
    )


def _tail(name: str, faces: Matrix, duplicates: IntArray, top_rate: float = TOP_RATE) -> Tail:
    similarities = pair_similarities(faces)
    similarities[pair_positions(duplicates, len(faces))] = -1.0  # below every tail
    measured = measure_tail(similarities, len(duplicates))
    uppers = upper_bounds(similarities, len(faces), measured, max(top_rate, TOP_RATE))
    return _described(name, len(faces), len(duplicates), measured, uppers)


def _described(
    name: str, people: int, excluded: int, tail: MeasuredTail, uppers: tuple[float, ...]
) -> Tail:
    evidence = (
        f"{people:,} people, {tail.pairs - excluded:,} pairs of different people ({excluded} more "
        f"left out as one person twice); measured down to a rate of {tail.extrapolated_below:.1e}, "
        "rarer rates by a generalised Pareto fit to the excesses over the quantile at 1e-3"
    )
    return Tail(
        population=name,
        points=tail.points,
        uppers=uppers,
        extrapolated_below=tail.extrapolated_below,
        people=people,
        pairs=tail.pairs - excluded,
        evidence=evidence,
    )


def _scores(faces: CalibrationFaces, centroid_photos: tuple[int, ...]) -> list[Scores]:
    """Return the scores for every number of photos that the validation people support."""
    several = (
        centroid_scores(faces.val, faces.people, faces.val_files, faces.strangers, photos)
        for photos in centroid_photos
    )
    single = photo_scores(faces.val, faces.people, faces.strangers)
    return [single, *(scores for scores in several if scores is not None)]


def _burst_scores(
    faces: CalibrationFaces, fused: FusedProbes, centroid_photos: tuple[int, ...]
) -> list[Scores]:
    """Return the scores of bursts for every number of photos, from one on."""
    several = (
        centroid_scores(faces.val, faces.people, faces.val_files, faces.strangers, photos, fused)
        for photos in centroid_photos
    )
    single = burst_scores(faces.val, faces.people, faces.strangers, fused)
    return [single, *(scores for scores in several if scores is not None)]


def _shifts(scores: list[Scores]) -> tuple[CentroidShift, ...]:
    """Return the shift of each number of photos, at least that of any smaller number."""
    reached = np.maximum.accumulate([max(0.0, each.shift) for each in scores])
    return tuple(
        CentroidShift(photos=each.photos, shift=float(shift))
        for each, shift in zip(scores, reached, strict=True)
    )


def _genuine(scores: Scores) -> Genuine:
    reached = np.quantile(scores.same, GENUINE_RATES)
    points = zip(GENUINE_RATES, reached, strict=True)
    return Genuine(
        photos=scores.photos, points=tuple((rate, float(value)) for rate, value in points)
    )


def _line(scores: Scores) -> PlattLine:
    different = scores.different
    slope, intercept = fit_platt(scores.same, different)
    return PlattLine(
        frames=scores.frames,
        photos=scores.photos,
        slope=slope,
        intercept=intercept,
        same_scores=len(scores.same),
        same_people=len(np.unique(scores.owners)),
        different_scores=len(different),
        cllr=likelihood_ratio_cost(scores.same, different, slope, intercept),
    )


def _excluded(
    faces: CalibrationFaces, chosen: Thresholds, shift: float, settings: CalibrateRecipe
) -> ExcludedPairs:
    """List what was left out, and the threshold that would follow if nothing were."""
    if faces.duplicates is None:
        return ExcludedPairs(
            teacher_similarity=None,
            pairs=(),
            identify_if_kept=chosen.identify.similarity,
            note="no teacher was there to look for people who appear twice: nothing is left out",
        )
    nothing = np.zeros((0, 2), np.int64)
    kept = [_tail(pool.name, faces.strangers[pool.rows], nothing) for pool in faces.pools]
    everyone = _tail("overall", faces.strangers, nothing)
    files = faces.stranger_files
    return ExcludedPairs(
        teacher_similarity=settings.teacher_similarity,
        pairs=tuple((files[a], files[b]) for a, b in faces.duplicates),
        identify_if_kept=choose_thresholds(everyone, kept, shift, settings).identify.similarity,
        note=(
            "pairs whose mean teacher similarity says one person twice, by the look of most of "
            "their pictures; rates with less than ten times as many pairs are extrapolated"
        ),
    )
