from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.evaluation.made_people import DIM, strangers, unit
from training.foundation.arrays import Matrix
from training.studies.enrollment.rules import NOT_ENROLLED, RULES, Rule, score


def direction(vector: np.ndarray) -> np.ndarray:
    unit_vector: np.ndarray = vector / np.linalg.norm(vector)
    return unit_vector


def slow_score(probe: Matrix, photos: Matrix, quality: np.ndarray, rule: Rule) -> float:
    """One probe with one person's photos, by the words of the rule."""
    similarities = [float(probe @ photo) for photo in photos]
    mean = direction(photos.astype(float).mean(axis=0))
    if rule == "max over photos":
        return max(similarities)
    if rule == "mean over photos":
        return sum(similarities) / len(similarities)
    if rule == "half mean, half max":
        return (max(similarities) + float(probe @ mean)) / 2
    if rule == "quality-weighted mean":
        return float(probe @ direction(sum(w * p for w, p in zip(quality, photos, strict=True))))
    if rule == "trimmed mean" and len(photos) >= 3:
        rest = [np.delete(photos, n, axis=0) for n in range(len(photos))]
        odd = min(range(len(photos)), key=lambda n: photos[n] @ direction(rest[n].mean(axis=0)))
        return float(probe @ direction(rest[odd].astype(float).mean(axis=0)))
    return float(probe @ mean)


rules_by_words = st.sampled_from([rule for rule in RULES if rule != "geometric median"])


@given(rules_by_words, st.integers(1, 5), st.integers(0, 1000))
@settings(deadline=None, max_examples=60)
def test_scores_are_those_of_the_words(rule: Rule, photos: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    gallery = unit(random.normal(size=(4 * photos, DIM))).reshape(4, photos, DIM)
    quality = random.uniform(0.1, 1, (4, photos))
    probes = strangers(3, seed)
    scores = score(probes, gallery, np.ones((4, photos)), quality, rule)
    people = list(zip(gallery, quality, strict=True))
    expected = [[slow_score(probe, *one, rule) for one in people] for probe in probes]
    np.testing.assert_allclose(scores, expected, atol=1e-5)


@pytest.mark.parametrize("rule", RULES)
def test_a_photo_without_weight_is_as_if_it_were_not_there(rule: Rule) -> None:
    gallery = strangers(12).reshape(3, 4, DIM)
    probes, quality = strangers(5, 9), np.ones((3, 4))
    weights = np.ones((3, 4))
    weights[:, 2] = 0.0
    without = np.delete(gallery, 2, axis=1)
    np.testing.assert_allclose(
        score(probes, gallery, weights, quality, rule),
        score(probes, without, np.ones((3, 3)), np.ones((3, 3)), rule),
        atol=1e-5,
    )


@pytest.mark.parametrize("rule", RULES)
def test_who_is_not_enrolled_is_found_by_nobody(rule: Rule) -> None:
    gallery, weights = strangers(6).reshape(2, 3, DIM), np.ones((2, 3))
    weights[1] = 0.0
    scores = score(strangers(4, 5), gallery, weights, np.ones((2, 3)), rule)
    assert (scores[:, 1] == NOT_ENROLLED).all()
    assert (scores[:, 0] > -1.01).all()


def test_the_geometric_median_stays_with_the_majority() -> None:
    gallery = np.eye(DIM, dtype=np.float32)[[0, 0, 0, 1]][None]
    probe = np.eye(DIM, dtype=np.float32)[:1]
    weights = np.ones((1, 4))
    median = score(probe, gallery, weights, weights, "geometric median")[0, 0]
    mean = score(probe, gallery, weights, weights, "mean")[0, 0]
    assert median > 0.99 > mean
