from __future__ import annotations

import cv2
import numpy as np
import pytest

from app.domain.calibration import Calibration, PlattCalibration
from training.augment.frames import simulate_frames
from training.evaluation.bursts import MAX_FRAMES, Bursts, BurstTrial
from training.foundation.arrays import IntArray, Matrix
from training.studies.burst.measure import IdentifyThresholds, measure_bursts
from training.studies.burst.results import BurstKind, BurstReport
from training.studies.burst.study import faults, tables

DIM = 32
CALIBRATION = Calibration((PlattCalibration(1, 16.0, -5.0),))
THRESHOLDS = IdentifyThresholds(0.6, 0.62)


def unit(vectors: np.ndarray) -> Matrix:
    rows: Matrix = (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)
    return rows


def bursts_of(centres: Matrix, people: IntArray, random: np.random.Generator) -> Bursts:
    """Every second frame is bad, and its weight says so."""
    spread = np.where(np.arange(MAX_FRAMES) % 2 == 0, 5.0, 1.7)
    noise = random.normal(size=(len(centres), MAX_FRAMES, DIM)) / np.sqrt(DIM)
    frames = centres[:, None, :] + spread[None, :, None] * noise
    weights = np.tile(np.where(spread > 2, 0.05, 1.0), (len(centres), 1))
    return Bursts(unit(frames), weights, people)


def made_trial(*, unseen: bool = False) -> BurstTrial:
    random = np.random.default_rng(3)
    centres = unit(random.normal(size=(120, DIM)))
    strangers = unit(random.normal(size=(200, DIM)))
    return BurstTrial(
        "made",
        centres,
        bursts_of(centres[:100], np.arange(100), random),
        bursts_of(strangers, np.arange(200), random),
        unseen,
    )


@pytest.fixture(scope="module")
def kind() -> BurstKind:
    return measure_bursts(made_trial(), CALIBRATION, THRESHOLDS)


def test_more_frames_miss_fewer_and_good_ones_count_more(kind: BurstKind) -> None:
    one, three, five = kind.fusion
    assert one.fnir.value > three.fnir.value > five.fnir.value
    assert one.fnir == one.plain_fnir
    assert five.fnir.value <= five.plain_fnir.value
    assert kind.gallery_people == 120
    assert one.fnir_at_identify.value > five.fnir_at_identify.value
    assert one.shift == 0


def test_the_line_of_single_frames_is_judged_beside_one_of_its_own(kind: BurstKind) -> None:
    assert [[line.fitted_on for line in row.lines] for row in kind.fusion] == [[1], [1, 3], [1, 5]]
    for row in kind.fusion:
        assert all(0 < line.cllr < 1 and 0 <= line.ece.value <= 1 for line in row.lines)


def test_of_people_nothing_was_fitted_on_the_models_own_lines_are_judged() -> None:
    lines = (PlattCalibration(1, 16.0, -5.0), PlattCalibration(1, 20.0, -8.0, frames=3))
    judged = measure_bursts(made_trial(unseen=True), Calibration(lines), THRESHOLDS)
    told = [[(line.slope, line.intercept) for line in row.lines] for row in judged.fusion]
    single, burst = (16.0, -5.0), (20.0, -8.0)
    assert told == [[single], [single, burst], [single, burst]]


def test_several_frames_are_held_to_the_threshold_of_several_frames() -> None:
    judged = measure_bursts(made_trial(), CALIBRATION, IdentifyThresholds(-0.9, 0.99))
    assert [row.fpir_at_identify.value for row in judged.fusion] == [1, 0, 0]


def test_a_promise_is_broken_where_strangers_surely_pass_more_often(kind: BurstKind) -> None:
    lenient = measure_bursts(made_trial(), CALIBRATION, IdentifyThresholds(0.6, -0.9))
    report = BurstReport(model="made", sha256=None, kinds=(kind, lenient))
    broken = faults(report, 0.01)
    assert [line.partition(":")[0] for line in broken if "100.0" in line] == [
        "made, 3 frames",
        "made, 5 frames",
    ]
    assert not faults(report, 1.0)


def test_the_tables_hold_every_line(kind: BurstKind) -> None:
    gains, refusals = tables(BurstReport(model="made", sha256=None, kinds=(kind,)))
    assert len(gains.rows) == 5  # one frame has one line, three and five have two
    assert len(refusals.rows) == 3
    assert all(len(row) == len(gains.head) for row in gains.rows)


def test_a_foreign_frame_is_noticed(kind: BurstKind) -> None:
    mixtures = kind.mixtures
    assert [mixture.frames for mixture in mixtures] == [2, 3, 5]
    assert all(mixture.missed.value < 0.3 for mixture in mixtures)


def test_a_simulated_frame_is_another_picture_of_the_same() -> None:
    noise = np.random.default_rng(1).integers(30, 220, (4, 10, 10, 3), dtype=np.uint8)
    smooth = [cv2.resize(each, (128, 128), interpolation=cv2.INTER_CUBIC) for each in noise]
    stored = np.stack(smooth).transpose(0, 3, 1, 2).astype(np.uint8)
    first, again, other = (simulate_frames(stored, seed) for seed in (1, 1, 2))
    assert first.crops.shape == (4, 3, 112, 112)
    assert first.crops.dtype == np.uint8
    assert np.array_equal(first.crops, again.crops)
    assert not np.array_equal(first.crops, other.crops)
    assert ((first.weights > 0) & (first.weights <= 1)).all()
    middle = stored[:, :, 8:120, 8:120].reshape(4, -1)
    likeness = np.corrcoef(np.concatenate([middle, first.crops.reshape(4, -1)]))[:4, 4:]
    assert (likeness.argmax(axis=1) == np.arange(4)).all()
