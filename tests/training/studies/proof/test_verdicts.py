"""Verdicts counted on made people whose answers are known."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from app.domain.calibration import Calibration, PlattCalibration
from app.domain.model_manifest import Threshold
from app.domain.policy import RiskPolicy, RiskTargets
from app.domain.tails import ImpostorTail
from app.domain.verdict import Verdict
from tests.services.fakes import MANIFEST
from training.foundation.arrays import Matrix
from training.studies.planted_audit.twins import TwinPlan
from training.studies.proof.promises import Population
from training.studies.proof.verdicts import enrolled, prove_look_alikes, verdicts

DIM = 64
CALIBRATION = Calibration((PlattCalibration(1, 30.0, -12.0),))
HALF = np.full(3, 0.5)
#: Asks for .5 of everybody against whatever gallery.
POLICY = RiskPolicy(
    dataclasses.replace(
        MANIFEST,
        tails=(ImpostorTail("made", ((0.1, -0.5), (1e-6, 0.4)), 1e-6),),
        identify=Threshold(0.0, 0.1, "made"),
    ),
    RiskTargets(0.01, 0.001, min_similarity=0.5),
)


def near(direction: Matrix, spread: float, count: int, seed: int) -> Matrix:
    """Return unit rows ``(count, DIM)`` round a direction."""
    noise = np.random.default_rng(seed).normal(size=(count, DIM)) / np.sqrt(DIM)
    rows = direction + spread * noise
    unit: Matrix = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit


def people(count: int, photos: int) -> Population:
    """Return ``count`` people who are nothing alike, with so many photos each."""
    basis = np.eye(DIM, dtype=np.float32)[:count]
    faces = np.concatenate([near(basis[n], 0.3, photos, n) for n in range(count)])
    return Population("made", faces, np.repeat(np.arange(count), photos))


def test_each_verdict_is_that_of_the_service() -> None:
    ann, bob, eve, nobody = np.eye(DIM, dtype=np.float32)[:4]
    gallery = enrolled([ann[None], bob[None], eve[None]], [(0, 1)])
    between = (ann + eve) / np.sqrt(2)
    both = (ann + 0.7 * bob) / np.linalg.norm(ann + 0.7 * bob)
    found, first = verdicts(gallery, np.stack([ann, between, both, nobody]), CALIBRATION, HALF)
    assert found == [Verdict.KNOWN, Verdict.AMBIGUOUS, Verdict.AMBIGUOUS, Verdict.UNKNOWN]
    assert first[0] == 0
    unrecorded = enrolled([ann[None], bob[None], eve[None]])
    assert verdicts(unrecorded, both[None], CALIBRATION, HALF)[0] == [Verdict.KNOWN]


@pytest.mark.parametrize(("guard", "noticed"), [(0.5, 1.0), (0.99, 0.0)])
def test_a_twin_that_is_noticed_makes_the_door_ask(guard: float, noticed: float) -> None:
    everybody = people(20, 4)
    rows = np.arange(80).reshape(20, 4)
    plans = [TwinPlan(n, n + 1, rows[n, 2:], rows[n + 1, 2:]) for n in (0, 5, 9)]
    middles = [everybody.faces[rows[plan.person, :2]].mean(axis=0) for plan in plans]
    others = np.eye(DIM, dtype=np.float32)[40:43]
    twins = np.concatenate(
        [near(m + 1.2 * o, 0.2, 2, 7) for m, o in zip(middles, others, strict=True)]
    )
    trial = prove_look_alikes(everybody, plans, twins, CALIBRATION, POLICY, guard, 10)
    assert trial.noticed.value == noticed
    assert trial.unrecorded.right.value > 0.5
    if noticed:
        assert trial.recorded.ambiguous.value == 1
    else:
        assert trial.recorded == trial.unrecorded.model_copy(update={"who": trial.recorded.who})
