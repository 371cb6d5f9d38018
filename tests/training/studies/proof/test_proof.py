from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from app.domain.calibration import Calibration, PlattCalibration
from app.domain.model_manifest import Threshold
from app.domain.policy import PromiseFor, RiskPolicy, RiskTargets
from app.domain.tail_fit import measure_tail
from app.domain.tails import ImpostorTail
from tests.services.fakes import MANIFEST
from training.calibration.calibrate import CalibrationFaces
from training.calibration.uncertainty import upper_bounds
from training.data.populations import Pool
from training.foundation.arrays import Matrix
from training.metrics.pairs import pair_similarities, same_and_different
from training.metrics.platt import fit_platt
from training.studies.proof.choices import compare_choices
from training.studies.proof.probabilities import TRAFFIC, prove_probabilities
from training.studies.proof.promises import Population, prove_promises
from training.studies.proof.study import counted, exceeded_where_not_promised, half_populations
from training.studies.proof.tables import choice_sheet, promise_sheet


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
    worst = (PromiseFor.WORST_GROUP,)
    kept = prove_promises(test, policy_from(fitted_on), (10, 100, 550), (0.1, 0.01), 1, 10, worst)
    assert [(one.people, one.stated) for one in kept] == [
        (10, 0.1),
        (10, 0.01),
        (100, 0.1),
        (100, 0.01),
    ]  # 550 enrolled of 600 leave too few strangers
    assert not any(one.broken for one in kept)
    assert all(one.met.trials == 10 * (600 - one.people) for one in kept)
    lowered = policy_from(fitted_on, loosened=0.1)
    broken = prove_promises(test, lowered, (10, 100), (0.1, 0.01), 1, 10, worst)
    assert any(one.broken for one in broken)
    unkept = sum(one.broken for one in broken)
    said = f"promises to worst-group: {4 - unkept} of 4 kept; for 0 more"
    assert counted(broken).startswith(said)


def alike_and_not(people: int) -> CalibrationFaces:
    """Return strangers of whom the last fifth are alike, and people like the others."""
    random = np.random.default_rng(7)
    faces = random.normal(size=(people, 24))
    faces[-people // 5 :] += 1.2 * random.normal(size=24)
    unit = (faces / np.linalg.norm(faces, axis=1, keepdims=True)).astype(np.float32)
    known = made_population(60, 4, seed=3, spread=0.3)
    alike = np.arange(people - people // 5, people)
    return CalibrationFaces(
        val=known.faces,
        people=known.people,
        val_files=tuple(str(row) for row in range(len(known.faces))),
        strangers=unit,
        stranger_files=tuple(str(row) for row in range(people)),
        pools=[Pool("alike female", alike[::2]), Pool("alike male", alike[1::2])],
        duplicates=np.array([(0, 1)]),
    )


def policy_of_groups(faces: CalibrationFaces) -> RiskPolicy:
    """Return a policy with a tail of everybody and one of those who are alike."""
    alike = np.concatenate([pool.rows for pool in faces.pools])
    tails = []
    for name, rows in (("everyone", np.arange(len(faces.strangers))), ("alike", alike)):
        similarities = pair_similarities(faces.strangers[rows])
        tail = measure_tail(similarities)
        uppers = upper_bounds(similarities, len(rows), tail)
        tails.append(ImpostorTail(name, tail.points, tail.extrapolated_below, uppers))
    strictest = tails[1].threshold_at(1e-3)
    manifest = dataclasses.replace(
        MANIFEST, tails=tuple(tails), identify=Threshold(strictest, 1e-3, "alike")
    )
    return RiskPolicy(manifest, RiskTargets(0.1, 0.1))


def test_each_choice_is_held_to_whom_it_names_and_what_it_breaks_is_said() -> None:
    faces = alike_and_not(2000)
    policy = policy_of_groups(faces)
    named = list(half_populations(faces))
    assert [(name, mixed) for name, _, mixed in named] == [
        ("all strangers", True),
        ("alike", False),
        ("alike female", False),
        ("alike male", False),
    ]
    assert 1 not in named[0][1]  # one person twice counts once
    kept = [
        one
        for name, rows, mixed in named[:2]
        for one in prove_promises(
            Population(name, faces.strangers[rows], np.arange(len(rows)), mixed),
            policy,
            (100,),
            (0.1,),
            1,
            10,
        )
    ]
    found = {(one.population, one.promise_for): one for one in kept}
    within = found["alike", PromiseFor.MIXED]
    assert within.exceeded
    assert not within.named
    assert not within.broken  # it was never promised to them
    assert not any(one.broken for one in kept)
    assert found["alike", PromiseFor.WORST_GROUP].named
    assert not found["alike", PromiseFor.WORST_GROUP].exceeded
    lines = exceeded_where_not_promised(kept, {})
    assert "exceeded there in 1 of 1 trials" in lines[0]
    assert "0.1 for mixed against 100 of alike" in lines[1]
    words = {row[0]: row[-1] for row in promise_sheet(kept).rows if row[1] == "alike"}
    assert words == {"worst-group": "kept", "mixed": "not promised, EXCEEDED"}


def test_a_choice_says_what_it_costs_employees_and_whom_it_lets_in() -> None:
    faces = alike_and_not(2000)
    outcomes = compare_choices(faces, policy_of_groups(faces), 0.1, (20, 60, 100), 3, 3)
    assert [(one.people, one.promise_for) for one in outcomes] == [
        (size, whom) for size in (20, 60) for whom in PromiseFor
    ]  # of 60 people no hundred can be enrolled
    for worst, mixed in zip(outcomes[::2], outcomes[1::2], strict=True):
        assert mixed.refused.value <= worst.refused.value
        assert mixed.met.value >= worst.met.value
        assert mixed.met.trials == worst.met.trials == 3 * 2000
        assert mixed.worst_met.value >= mixed.met.value or mixed.worst_group.startswith("alike")
    sheet = choice_sheet(outcomes)
    assert {len(row) for row in sheet.rows} == {len(sheet.head)}


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
