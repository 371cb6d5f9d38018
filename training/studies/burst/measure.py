"""What fused frames gain, whether a single frame's calibration holds for them, who is refused."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.domain.calibration import Calibration
from app.domain.decision import Evidence, decide, reached_somebody
from app.domain.embeddings import as_embedding
from app.domain.fusion import weakest_link
from app.domain.matching import GallerySimilarities
from app.domain.verdict import Verdict
from training.calibration.scores import SHIFT_RATE
from training.evaluation.bursts import Bursts, BurstTrial
from training.foundation.arrays import FloatArray, IntArray, Matrix
from training.metrics.estimates import Estimate
from training.metrics.intervals import SEED, bootstrap_rate, bootstrap_statistic
from training.metrics.open_set import Enrollment, identify_open_set
from training.metrics.platt import fit_platt, likelihood_ratio_cost
from training.metrics.reliability import calibration_error, equal_width_bins, same_probability
from training.studies.burst.results import BurstKind, FusionFigures, LineCheck, MixtureFigures

FRAME_COUNTS = (1, 3, 5)
FPIR = 0.01
MIXED_FRAMES = (2, 3, 5)
MAX_IMPOSTORS = 60_000
MAX_MIXTURES = 400

_Scored = tuple[Matrix, Matrix, IntArray, IntArray]


@dataclass(frozen=True)
class IdentifyThresholds:
    """The similarities that the service asks for: of a single frame, and of several in one."""

    single: float
    fused: float


def measure_bursts(
    trial: BurstTrial, calibration: Calibration, thresholds: IdentifyThresholds
) -> BurstKind:
    """Return the figures of one trial; calibration and thresholds are the model's own."""
    return BurstKind(
        source=trial.source,
        gallery_people=len(trial.gallery),
        fusion=tuple(_fusion(trial, n, calibration, thresholds) for n in FRAME_COUNTS),
        mixtures=tuple(_mixtures(trial.genuine, calibration, frames) for frames in MIXED_FRAMES),
    )


def _fusion(
    trial: BurstTrial, frames: int, calibration: Calibration, thresholds: IdentifyThresholds
) -> FusionFigures:
    threshold = thresholds.fused if frames > 1 else thresholds.single
    people = len(np.unique(trial.genuine.people))
    single, against = (_against_gallery(trial.impostors, trial.gallery, n) for n in (1, frames))
    genuine = _against_gallery(trial.genuine, trial.gallery, frames)
    found = _found(genuine, trial.genuine.people, calibration, frames, threshold)
    alarms = reached_somebody(against, np.full(len(trial.gallery), threshold))
    return FusionFigures(
        frames=frames,
        bursts=len(trial.genuine.people),
        people=people,
        impostors=len(trial.impostors.people),
        fnir=_missed(trial, frames, weighted=True),
        plain_fnir=_missed(trial, frames, weighted=False),
        fnir_at_identify=bootstrap_rate(~found, trial.genuine.people),
        fpir_at_identify=bootstrap_rate(alarms, trial.impostors.people),
        shift=_reached(against) - _reached(single),
        lines=tuple(
            _shipped_line(trial, calibration, fitted_on, frames)
            if trial.unseen
            else _line(trial, fitted_on, frames)
            for fitted_on in sorted({1, frames})
        ),
    )


def _against_gallery(bursts: Bursts, gallery: Matrix, frames: int) -> Matrix:
    similarities: Matrix = bursts.fused(frames, weighted=True) @ gallery.T
    return similarities


def _found(
    similarities: Matrix, owners: IntArray, calibration: Calibration, frames: int, threshold: float
) -> npt.NDArray[np.bool_]:
    """Return which bursts ``(B,)`` the door takes for their ``owners``, surely or as one of two."""
    people = np.arange(similarities.shape[1], dtype=np.int64)
    compared = GallerySimilarities(people, similarities, np.ones_like(people))
    answers = decide(
        Evidence.of(compared, calibration, frames), lambda _photos: threshold, lambda _person: ()
    )
    taken = [
        one.verdict is not Verdict.UNKNOWN and one.person == owner
        for one, owner in zip(answers, owners.tolist(), strict=True)
    ]
    return np.array(taken, np.bool_)


def _reached(impostors: Matrix) -> float:
    """Return the similarity that strangers reach at the rate ``SHIFT_RATE``."""
    return float(np.quantile(impostors, 1 - SHIFT_RATE))


def _missed(trial: BurstTrial, frames: int, *, weighted: bool) -> Estimate:
    """Return FNIR at the FPIR of interest, with an interval that resamples people."""
    probes = trial.genuine.fused(frames, weighted=weighted)
    # Enrollment numbers its people without gaps from those that have probes on; the rest follow.
    shown, owners = np.unique(trial.genuine.people, return_inverse=True)
    others = np.setdiff1d(np.arange(len(trial.gallery)), shown)
    enrollment = Enrollment(
        enrolled=np.concatenate([shown, others])[:, None],
        probes=len(trial.gallery) + np.arange(len(probes)),
        owners=owners.astype(np.int64),
    )
    found = identify_open_set(
        np.concatenate([trial.gallery, probes]),
        enrollment,
        trial.impostors.fused(frames, weighted=weighted),
        (FPIR,),
        strangers=trial.impostors.people,
    )
    return found.points[0].fnir


def _line(trial: BurstTrial, fitted_on: int, frames: int) -> LineCheck:
    """Fit on the even people of the trial with ``fitted_on`` frames, judge on the odd ones."""
    slope, intercept = fit_platt(*_scores(trial, fitted_on, 0)[:2])
    return _line_check(_scores(trial, frames, 1), fitted_on, slope, intercept)


def _shipped_line(
    trial: BurstTrial, calibration: Calibration, fitted_on: int, frames: int
) -> LineCheck:
    """Judge the model's own line for one photo and up to ``fitted_on`` frames on everybody."""
    slope, intercept = calibration.line(photos=1, frames=fitted_on)
    return _line_check(_scores(trial, frames, None), fitted_on, slope, intercept)


def _line_check(scores: _Scored, fitted_on: int, slope: float, intercept: float) -> LineCheck:
    """Return how well a line speaks for these scores."""
    same, other, owners, strangers = scores
    similarities = np.concatenate([same, other]).astype(np.float64)
    genuine = np.arange(len(similarities)) < len(same)
    probabilities = same_probability(similarities, slope, intercept)
    bins = equal_width_bins(probabilities)
    balance = np.where(genuine, 0.5 / len(same), 0.5 / len(other))

    def error(weights: FloatArray) -> float:
        return calibration_error(probabilities, genuine, bins, balance * weights)

    first = np.concatenate([owners, strangers])
    second = np.concatenate([owners, np.full(len(strangers), -1)])
    return LineCheck(
        fitted_on=fitted_on,
        slope=slope,
        intercept=intercept,
        cllr=likelihood_ratio_cost(same, other, slope, intercept),
        ece=bootstrap_statistic(error, first, second),
    )


def _scores(trial: BurstTrial, frames: int, parity: int | None) -> _Scored:
    """Return same and different scores and who the probes show, of people of one parity or all."""
    genuine, strangers = (
        bursts if parity is None else bursts.of(np.nonzero(bursts.people % 2 == parity)[0])
        for bursts in (trial.genuine, trial.impostors)
    )
    own: Matrix = np.einsum(
        "bd,bd->b", genuine.fused(frames, weighted=True), trial.gallery[genuine.people]
    )
    against = _against_gallery(strangers, trial.gallery, frames)
    shown = np.repeat(strangers.people + len(trial.gallery), len(trial.gallery))
    kept = np.random.default_rng(SEED).permutation(against.size)[:MAX_IMPOSTORS]
    return own, against.ravel()[kept], genuine.people, shown[kept]


def _mixtures(bursts: Bursts, calibration: Calibration, frames: int) -> MixtureFigures:
    """Return how often bursts are refused as they are, and kept with one frame of somebody else."""
    random = np.random.default_rng(SEED)
    chosen = random.permutation(len(bursts.people))[:MAX_MIXTURES]
    refused, missed = [], []
    for row in chosen:
        own = [as_embedding(vector) for vector in bursts.embeddings[row, :frames]]
        others = np.nonzero(bursts.people != bursts.people[row])[0]
        foreign = as_embedding(bursts.embeddings[random.choice(others), 0])
        refused.append(weakest_link(own, calibration) < 0)
        missed.append(weakest_link([*own[:-1], foreign], calibration) >= 0)
    people = bursts.people[chosen]
    return MixtureFigures(
        frames=frames,
        refused=bootstrap_rate(np.array(refused), people),
        missed=bootstrap_rate(np.array(missed), people),
    )
