"""Verdicts counted on made people whose answers are known."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from app.domain.calibration import Calibration, PlattCalibration
from app.domain.employees import GalleryEntry
from app.domain.model_manifest import Threshold
from app.domain.policy import RiskPolicy, RiskTargets
from app.domain.tails import ImpostorTail
from app.domain.verdict import Verdict
from app.search.faiss_index import FaissGalleryIndex
from app.services.policy import DecisionPolicy
from tests.services.fakes import MANIFEST
from training.foundation.arrays import Matrix
from training.studies.planted_audit.twins import TwinPlan
from training.studies.proof.look_alikes import SUSPENDED, LookAlikeTrial, prove_look_alikes
from training.studies.proof.promises import Population
from training.studies.proof.tables import verdict_sheet
from training.studies.proof.verdicts import (
    Enrolled,
    claim_thresholds,
    claim_verdicts,
    enrolled,
    identify_thresholds,
    verdicts,
)

DIM = 64
CALIBRATION = Calibration((PlattCalibration(1, 30.0, -12.0),))
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


def half(_photos: int) -> float:
    """Return the threshold that everybody is held to here."""
    return 0.5


def told(gallery: Enrolled, *probes: Matrix) -> list[Verdict]:
    return [one.verdict for one in verdicts(gallery, np.stack(probes), CALIBRATION, half)]


def test_each_verdict_is_that_of_the_service() -> None:
    ann, bob, eve, nobody = np.eye(DIM, dtype=np.float32)[:4]
    gallery = enrolled([ann[None], bob[None], eve[None]], [(0, 1)])
    between = (ann + eve) / np.sqrt(2)
    both = (ann + 0.7 * bob) / np.linalg.norm(ann + 0.7 * bob)
    assert told(gallery, ann, between, both, nobody) == [
        Verdict.KNOWN,
        Verdict.AMBIGUOUS,
        Verdict.AMBIGUOUS,
        Verdict.UNKNOWN,
    ]
    unrecorded = enrolled([ann[None], bob[None], eve[None]])
    assert told(unrecorded, both) == [Verdict.KNOWN]


def test_a_look_alike_whom_nothing_was_compared_with_makes_it_ambiguous() -> None:
    ann, bob = np.eye(DIM, dtype=np.float32)[:2]
    alone = enrolled([ann[None], bob[None]], [(0, SUSPENDED)])
    assert told(alone, ann, bob) == [Verdict.AMBIGUOUS, Verdict.KNOWN]
    claims = claim_verdicts(alone, np.stack([ann, bob]), [0, 1], CALIBRATION, half)
    assert [one.verdict for one in claims] == [Verdict.AMBIGUOUS, Verdict.KNOWN]


def test_thresholds_are_those_in_force_where_the_gallery_is_of_people_who_are_alike() -> None:
    """The service's policy reads them off the same centroids."""
    random = np.random.default_rng(4)
    faces = random.normal(size=(120, DIM)) + 1.5 * random.normal(size=DIM)
    unit = (faces / np.linalg.norm(faces, axis=1, keepdims=True)).astype(np.float32)
    gallery = enrolled([face[None] for face in unit])
    risk = RiskPolicy(MANIFEST, RiskTargets(0.01, 0.001))
    index = FaissGalleryIndex(DIM)
    index.replace_all([GalleryEntry(n, face, ((n, face),)) for n, face in enumerate(unit, 1)], 1)
    in_force = DecisionPolicy(risk, index, 0.5, 0.5)
    asked, claimed = identify_thresholds(gallery, risk), claim_thresholds(gallery, risk)
    assert asked(1) == pytest.approx(in_force.identify(photos=1).threshold.similarity, abs=1e-6)
    assert claimed(1) == pytest.approx(in_force.verify(photos=1).threshold.similarity, abs=1e-6)
    assert asked(1) > risk.promise(0.01, 120, photos=1).threshold.similarity + 0.05


def twins_of(guard: float) -> LookAlikeTrial:
    everybody = people(20, 4)
    rows = np.arange(80).reshape(20, 4)
    plans = [TwinPlan(n, n + 1, rows[n, 2:], rows[n + 1, 2:]) for n in (0, 5, 9)]
    middles = [everybody.faces[rows[plan.person, :2]].mean(axis=0) for plan in plans]
    others = np.eye(DIM, dtype=np.float32)[40:43]
    twins = np.concatenate(
        [near(m + 1.2 * o, 0.2, 2, 7) for m, o in zip(middles, others, strict=True)]
    )
    return prove_look_alikes(everybody, plans, twins, CALIBRATION, POLICY, guard, 10)


def test_a_twin_that_is_noticed_makes_the_door_ask() -> None:
    trial = twins_of(guard=0.5)
    assert trial.noticed.value == 1
    assert trial.unrecorded.right.value > 0.5
    assert trial.recorded.ambiguous.value == 1
    # With the twin suspended the person is asked as well, and so is the twin, taken for the person.
    assert trial.suspended.ambiguous.value == 1
    assert trial.suspended.people == 9
    assert trial.own_claims.right.value + trial.own_claims.ambiguous.value == 1
    assert trial.false_claims.another.value == 0
    sheet = verdict_sheet(trial.rows)
    assert [row[0] for row in sheet.rows] == [
        "twins, recorded where noticed",
        "twins, nothing recorded",
        "twins, one of them suspended",
        "twins who claim to be themselves",
        "twins who claim to be the other",
    ]


def test_a_twin_that_is_not_noticed_is_known_as_the_person_while_suspended() -> None:
    trial = twins_of(guard=0.99)
    assert trial.noticed.value == 0
    assert trial.recorded == trial.unrecorded.model_copy(update={"who": trial.recorded.who})
    assert trial.suspended.ambiguous.value == 0
    assert trial.suspended.another.value == pytest.approx(1 / 3)  # one probe in three is a twin's
    assert trial.suspended.right.value == pytest.approx(2 / 3)
    assert trial.own_claims.right.value == 1
    assert trial.false_claims.another.value > 0.5  # nothing speaks against the other
