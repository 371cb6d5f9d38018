from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from app.domain.calibration import Calibration as DomainCalibration
from app.domain.calibration import PlattCalibration, gallery_posterior
from tests.training.evaluation.made_people import (
    NameEmbedder,
    made_people,
    strangers,
    write_evaluation_data,
    write_teacher,
)
from tests.training.made_data import tiny_recipe
from training.calibration import duplicates
from training.calibration.calibrate import CalibrationFaces, calibrate_embedder
from training.calibration.calibration_sheets import calibration_sheets
from training.calibration.people import calibrate_on, print_calibration
from training.calibration.results import Calibration
from training.calibration.scores import FusedProbes, burst_scores, centroid_scores, photo_scores
from training.data.populations import Pool, read_strangers
from training.foundation.arrays import IntArray, Matrix
from training.recipes.build_recipe import load_build_recipe

CPU = torch.device("cpu")
SETTINGS = load_build_recipe().calibrate


def made_faces(duplicate_rows: IntArray | None) -> CalibrationFaces:
    val, people, files = made_people([1, 2, 3, 4, 6, 7, 4, 4, 3])
    others = strangers(300)
    return CalibrationFaces(
        val=val,
        people=people,
        val_files=files,
        strangers=others,
        stranger_files=tuple(f"s{row}" for row in range(300)),
        pools=[Pool("odd", np.arange(1, 300, 2)), Pool("even", np.arange(0, 300, 2))],
        duplicates=duplicate_rows,
    )


def test_every_photo_probes_the_centroid_of_the_next_ones() -> None:
    val, people, files = made_people([2, 4, 1])
    scores = centroid_scores(val, people, files, strangers(5), 2)
    assert scores is not None
    rows = [2, 3, 4, 5]  # who has more than two photos
    expected = []
    for place, probe in enumerate(rows):
        mean = val[rows[(place + 1) % 4]] + val[rows[(place + 2) % 4]]
        expected.append(float(val[probe] @ mean / np.linalg.norm(mean)))
    np.testing.assert_allclose(scores.same, expected, atol=1e-6)
    assert (len(scores.others), len(scores.strangers)) == (4 * 3, 4 * 5)
    assert centroid_scores(val, people, files, strangers(5), 4) is None


def test_photo_scores_hold_every_pair_once() -> None:
    val, people, _ = made_people([2, 4, 1])
    scores = photo_scores(val, people, strangers(5))
    assert (len(scores.same), len(scores.others), len(scores.strangers)) == (7, 14, 35)
    assert len(scores.different) == 49


def test_a_calibration_ships_lines_tails_and_thresholds_that_agree() -> None:
    result = calibrate_embedder(made_faces(np.zeros((0, 2), np.int64)), "made", None, SETTINGS)
    assert [line.photos for line in result.calibration] == [1, 2, 3, 5]
    assert all(line.slope > 0 and 0 < line.cllr < 1 for line in result.calibration)
    assert [tail.population for tail in result.impostor_tails] == [
        "overall: all strangers",
        "odd",
        "even",
    ]
    for tail in result.impostor_tails:
        assert len(tail.uppers) == len(tail.points)
    assert [scores.photos for scores in result.genuine] == [1, 2, 3, 5]
    assert result.thresholds.identify.similarity > result.thresholds.verify.similarity
    shifts = [check.shift for check in result.centroid_checks]
    assert shifts[0] == 0
    assert max(shifts) > 0  # the mean of several unit vectors is closer to everyone
    for cost in result.costs:
        assert cost.fnmr.low <= cost.fnmr.value <= cost.fnmr.high
    assert Calibration.model_validate_json(result.model_dump_json()) == result


def fused(frames: int, val: Matrix, others: Matrix) -> FusedProbes:
    """Return bursts that are a little nearer to their photos' middle than single frames."""
    rows = np.arange(0, len(others), 3)
    return FusedProbes(frames, unit(val + 0.02 * frames), unit(others[rows] + 0.02 * frames), rows)


def unit(rows: Matrix) -> Matrix:
    scaled: Matrix = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return scaled


def test_bursts_get_lines_of_their_own_and_move_no_threshold_of_single_frames() -> None:
    plain = made_faces(None)
    bursts = tuple(fused(frames, plain.val, plain.strangers) for frames in (3, 5))
    without = calibrate_embedder(plain, "made", None, SETTINGS)
    result = calibrate_embedder(replace(plain, bursts=bursts), "made", None, SETTINGS)
    counts = [(line.frames, line.photos) for line in result.calibration]
    assert counts == [(frames, photos) for frames in (1, 3, 5) for photos in (1, 2, 3, 5)]
    assert result.calibration[:4] == without.calibration
    assert result.thresholds == without.thresholds
    assert result.genuine == without.genuine
    assert {check.frames for check in result.centroid_checks} == {1, 3, 5}
    served = DomainCalibration(
        tuple(
            PlattCalibration(line.photos, line.slope, line.intercept, line.frames)
            for line in result.calibration
        )
    )
    assert served.line(photos=3, frames=4) == (
        result.calibration[6].slope,
        result.calibration[6].intercept,
    )


def test_every_burst_meets_every_photo_of_another_moment() -> None:
    val, people, _ = made_people([2, 4, 1])
    others = strangers(6)
    burst = fused(3, val, others)
    scores = burst_scores(val, people, others, burst)
    assert (len(scores.same), len(scores.others)) == (2 + 12, 49 - 4 - 16 - 1)
    assert (scores.frames, scores.photos) == (3, 1)
    expected = sorted(
        float(burst.val[one] @ val[other])
        for one in range(7)
        for other in range(7)
        if one != other and people[one] == people[other]
    )
    np.testing.assert_allclose(np.sort(scores.same), expected, atol=1e-6)
    assert scores.owners.tolist() == [0] * 2 + [1] * 12


def test_every_burst_probes_the_centroid_of_the_next_photos() -> None:
    val, people, files = made_people([2, 4, 1])
    others = strangers(6)
    burst = fused(3, val, others)
    scores = centroid_scores(val, people, files, others, 1, burst)
    assert scores is not None
    following = {0: 1, 1: 0, 2: 3, 3: 4, 4: 5, 5: 2}
    expected = [float(burst.val[probe] @ val[photo]) for probe, photo in following.items()]
    np.testing.assert_allclose(scores.same, expected, atol=1e-6)
    assert scores.frames == 3
    assert len(scores.strangers) == 6 * len(burst.rows)


def test_people_who_appear_twice_are_left_out_and_listed() -> None:
    faces = made_faces(np.array([[3, 5], [4, 7]], np.int64))
    twice = faces.strangers.copy()
    twice[5], twice[7] = twice[3], twice[4]
    faces = CalibrationFaces(**{**vars(faces), "strangers": twice})
    result = calibrate_embedder(faces, "made", None, SETTINGS)
    assert result.excluded.pairs == (("s3", "s5"), ("s4", "s7"))
    assert result.impostor_tails[0].pairs == 300 * 299 // 2 - 2
    assert {pool.population: pool.pairs for pool in result.impostor_tails[1:]} == {
        "odd": 150 * 149 // 2 - 1,
        "even": 150 * 149 // 2,
    }
    assert result.excluded.identify_if_kept >= result.thresholds.identify.similarity


def test_without_teachers_nothing_is_left_out_and_that_is_said(tmp_path: Path) -> None:
    root = write_evaluation_data(tmp_path / "data")
    result = calibrate_on(NameEmbedder(), root, tiny_recipe(), tmp_path / "cache", CPU, SETTINGS)
    assert result.excluded.teacher_similarity is None
    assert "no teacher" in result.excluded.note
    print_calibration(result)
    for sheet in calibration_sheets(result):
        assert {len(row) for row in sheet.rows} == {len(sheet.head)}
    ratios = np.array([line.slope * 0.9 + line.intercept for line in result.calibration])
    probabilities, nobody = gallery_posterior(ratios, 0.5)
    assert probabilities.sum() + nobody == pytest.approx(1)
    json.dumps(result.model_dump(mode="json"), allow_nan=False)


def test_teachers_find_the_same_picture_twice(tmp_path: Path) -> None:
    root = write_evaluation_data(tmp_path / "data", pool=30)
    write_teacher(root / "one.pt", 1, 10)
    write_teacher(root / "two.pt", 2, 7)
    first, second = root / "strangers/00003.png", root / "strangers/00008.png"
    second.write_bytes(first.read_bytes())
    found = duplicates.find_duplicates(
        read_strangers(root), tiny_recipe(), root, tmp_path / "cache", CPU, 0.9999
    )
    assert found is not None
    assert [3, 8] in found.tolist()
