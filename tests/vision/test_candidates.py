from __future__ import annotations

import numpy as np
import numpy.typing as npt

from app.vision.candidates import merge_candidates, overlaps


def candidate(x: float, y: float, side: float, score: float) -> npt.NDArray[np.float64]:
    points = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]])
    landmarks = points * side + np.array([x, y])
    return np.concatenate([[x, y, side, side], landmarks.ravel(), [score]])


def test_no_candidate_is_no_face() -> None:
    assert merge_candidates(np.zeros((0, 15)), 0.5).shape == (0, 15)
    assert merge_candidates(np.stack([candidate(0, 0, 9, 0.4)]), 0.5).shape == (0, 15)


def test_candidates_of_one_face_become_their_weighted_mean() -> None:
    rows = np.stack([candidate(10, 10, 50, 0.6), candidate(14, 10, 50, 0.9)])
    merged = merge_candidates(rows, 0.5)
    assert merged.shape == (1, 15)
    assert np.isclose(merged[0, 0], (10 * 0.6 + 14 * 0.9) / 1.5)
    assert merged[0, 14] == 0.9


def test_faces_apart_stay_apart_and_come_best_first() -> None:
    rows = np.stack([candidate(0, 0, 40, 0.7), candidate(60, 0, 40, 0.8), candidate(1, 1, 40, 0.6)])
    merged = merge_candidates(rows, 0.5)
    assert merged[:, 14].tolist() == [0.8, 0.7]
    assert merged[0, 0] == 60
    assert 0 < merged[1, 0] < 1


def test_overlap_is_intersection_over_union() -> None:
    box = np.array([0.0, 0.0, 10.0, 10.0])
    rows = np.stack([candidate(0, 0, 10, 1), candidate(5, 0, 10, 1), candidate(50, 0, 10, 1)])
    assert np.allclose(overlaps(box, rows), [1, 50 / 150, 0])
