from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.evaluation.made_people import made_people, strangers
from training.foundation.arrays import Matrix
from training.metrics.open_set import (
    RULES,
    Rule,
    enroll_people,
    gallery_scores,
    identify_open_set,
    single_photo_rows,
)


def slow_score(probe: Matrix, photos: Matrix, rule: Rule) -> float:
    if rule == "centroid":
        mean = photos.mean(axis=0)
        return float(probe @ mean / np.linalg.norm(mean))
    similarities = [float(probe @ photo) for photo in photos]
    return max(similarities) if rule == "max" else sum(similarities) / len(similarities)


def slow_open_set(
    embeddings: Matrix, people: np.ndarray, impostors: Matrix, photos: int, fpir: float, rule: Rule
) -> tuple[float, float]:
    """FNIR and rank-1 by the words of the protocol; rows are in file order."""
    rows = {p: np.nonzero(people == p)[0] for p in np.unique(people)}
    gallery = {p: embeddings[r[:photos]] for p, r in rows.items() if len(r) > photos}
    peaks = sorted(
        (max(slow_score(face, g, rule) for g in gallery.values()) for face in impostors),
        reverse=True,
    )
    allowed = int(fpir * len(peaks) + 1e-9)
    missed, first, total = 0, 0, 0
    for person in gallery:
        for row in rows[person][photos:]:
            scores = {p: slow_score(embeddings[row], g, rule) for p, g in gallery.items()}
            on_top = max(scores, key=lambda p: scores[p]) == person
            missed += not (on_top and scores[person] > peaks[allowed])
            first += on_top
            total += 1
    return missed / total, first / total


@given(st.sampled_from(RULES), st.integers(1, 3), st.integers(0, 20))
@settings(deadline=None, max_examples=25)
def test_open_set_figures_equal_the_slow_protocol(rule: Rule, photos: int, seed: int) -> None:
    embeddings, people, files = made_people([1, 2, 4, 5, 3, 1, 4], noise=0.9, seed=seed)
    impostors = strangers(20, seed + 100)
    enrollment = enroll_people(people, files, photos)
    result = identify_open_set(embeddings, enrollment, impostors, (0.1, 0.25), rule)
    for point in result.points:
        fnir, rank1 = slow_open_set(embeddings, people, impostors, photos, point.fpir, rule)
        assert point.fnir.value == pytest.approx(fnir)
        assert result.rank1.value == pytest.approx(rank1)
        assert point.fnir.low <= point.fnir.value <= point.fnir.high
    assert result.points[0].threshold >= result.points[1].threshold


def test_the_first_photos_by_file_order_are_enrolled_whatever_the_rows() -> None:
    files = ("a/3.png", "b/1.png", "a/1.png", "a/2.png")
    enrollment = enroll_people(np.array([0, 1, 0, 0]), files, 2)
    assert enrollment.enrolled.tolist() == [[2, 3]]
    assert enrollment.probes.tolist() == [0]


def test_nobody_to_enroll_is_an_error() -> None:
    with pytest.raises(ValueError, match="nobody"):
        enroll_people(np.array([0, 1]), ("a/1", "b/1"), 1)


def test_people_of_a_single_photo_are_found() -> None:
    assert single_photo_rows(np.array([4, 2, 4, 7])).tolist() == [1, 3]


def test_all_rules_agree_for_one_photo() -> None:
    embeddings, people, files = made_people([2, 3, 2])
    enrolled = enroll_people(people, files, 1).enrolled
    probes = strangers(5)
    scores = [gallery_scores(probes, embeddings, enrolled, rule) for rule in RULES]
    np.testing.assert_allclose(scores[0], scores[1], atol=1e-6)
    np.testing.assert_allclose(scores[0], scores[2], atol=1e-6)
