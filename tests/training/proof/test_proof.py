from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from app.domain.calibration import Calibration, PlattCalibration
from app.domain.model_manifest import Threshold
from app.domain.policy import RiskPolicy, RiskTargets
from app.domain.tail_fit import measure_tail
from app.domain.tails import ImpostorTail
from tests.services.fakes import MANIFEST
from training.calibration.platt import fit_platt
from training.calibration.uncertainty import upper_bounds
from training.evaluation.pairs import Matrix, pair_similarities, same_and_different
from training.proof.command import counted
from training.proof.probabilities import TRAFFIC, prove_probabilities
from training.proof.promises import Population, prove_promises


def made_population(people: int, photos: int, seed: int, spread: float = 0.6) -> Population:
    """Return unit vectors around one point a person."""
    random = np.random.default_rng(seed)
    middles = np.repeat(random.normal(size=(people, 24)), photos, axis=0)
    faces = middles + spread * random.normal(size=middles.shape)
    faces /= np.linalg.norm(faces, axis=1, keepdims=True)
    return Population(
        "made", faces.astype(np.float32), np.repeat(np.arange(people, dtype=np.int64), photos)
    )


def policy_from(faces: Matrix, *, loosened: float = 0.0) -> RiskPolicy:
    """Return the policy that these people's own pairs support, lowered where asked to."""
    similarities = pair_similarities(faces)
    tail = measure_tail(similarities)
    points = tuple((rate, value - loosened) for rate, value in tail.points)
    uppers = tuple(value - loosened for value in upper_bounds(similarities, len(faces), tail))
    made = ImpostorTail("made", points, tail.extrapolated_below, uppers)
    manifest = dataclasses.replace(
        MANIFEST, tails=(made,), identify=Threshold(made.threshold_at(1e-3), 1e-3, "made")
    )
    return RiskPolicy(manifest, RiskTargets(0.1, 0.1))


def test_a_policy_fitted_on_others_keeps_its_promise_and_a_lowered_one_does_not() -> None:
    test = made_population(600, 1, seed=1)
    fitted_on = made_population(500, 1, seed=2).faces
    kept = prove_promises(test, policy_from(fitted_on), (10, 100, 550), (0.1, 0.01), 1, 10)
    assert [(one.people, one.stated) for one in kept] == [
        (10, 0.1),
        (10, 0.01),
        (100, 0.1),
        (100, 0.01),
    ]  # 550 enrolled of 600 leave too few strangers
    assert not any(one.broken for one in kept)
    assert all(one.met.trials == 10 * (600 - one.people) for one in kept)
    lowered = policy_from(fitted_on, loosened=0.1)
    broken = prove_promises(test, lowered, (10, 100), (0.1, 0.01), 1, 10)
    assert any(one.broken for one in broken)
    unkept = sum(one.broken for one in broken)
    assert counted(broken).startswith(f"promises: {4 - unkept} of 4 kept; for 0 more")


@pytest.mark.parametrize("stretched", [1.0, 4.0])
def test_probabilities_are_found_true_or_too_sure(stretched: float) -> None:
    fitted_on, test = made_population(150, 3, 3), made_population(150, 3, 4)
    same, _, different = same_and_different(fitted_on.faces, fitted_on.people)
    slope, intercept = fit_platt(same, different)
    line = PlattCalibration(1, slope * stretched, intercept * stretched)
    proved = prove_probabilities(test, Calibration((line,)), (50,), 1, 3)
    assert [one.traffic for one in proved] == list(TRAFFIC)
    worst = max(one.ece for one in proved)
    assert worst < 0.1 if stretched == 1.0 else worst > 0.03
    for one in proved:
        assert one.attempts == 1800
        assert sum(found.pairs for found in one.bins) == one.attempts
