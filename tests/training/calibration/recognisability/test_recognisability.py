"""Centres of the unrecognisable: the fit against what was planted, and the renderings."""

from __future__ import annotations

import numpy as np
import pytest

from training.calibration.recognisability.centres import distances, fit_centres
from training.calibration.recognisability.fit import (
    fit_limits,
    outcome,
    refused,
)
from training.calibration.recognisability.renderings import FITTED, HELD_OUT
from training.recipes.build_recipe import load_build_recipe

CENTRES, DIM = 5, 16
SETTINGS = load_build_recipe().recognisability


def planted(per_centre: int = 40) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(3)
    middles = np.linalg.qr(random.normal(size=(DIM, CENTRES)))[0].T
    rows = np.repeat(middles, per_centre, axis=0) + 0.05 * random.normal(
        size=(CENTRES * per_centre, DIM)
    )
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return middles, rows.astype(np.float32)


def test_planted_clusters_are_found() -> None:
    middles, rows = planted()
    best = max(
        (fit_centres(rows, CENTRES, seed) for seed in range(5)),
        key=lambda found: float((rows @ found.T).max(axis=1).sum()),
    )
    assert np.allclose(np.linalg.norm(best, axis=1), 1.0, atol=1e-5)
    assert ((middles @ best.T).max(axis=1) > 0.99).all()


def test_a_fit_repeats_itself_and_one_centre_is_the_mean_direction() -> None:
    _, rows = planted()
    assert np.array_equal(fit_centres(rows, 3, 1), fit_centres(rows, 3, 1))
    mean = rows.sum(axis=0)
    assert np.allclose(fit_centres(rows, 1), mean / np.linalg.norm(mean), atol=1e-5)
    with pytest.raises(ValueError, match="centres need"):
        fit_centres(rows[:2], 3)


def test_distances_are_those_of_the_service() -> None:
    middles, rows = planted(2)
    centres = middles[:2].astype(np.float32)
    slow = [1 - max(float(row @ centre) for centre in centres) for row in rows]
    assert distances(rows, centres) == pytest.approx(np.clip(slow, 0, 1), abs=1e-5)


def test_limits_leave_the_stated_shares_below_and_enrollment_is_stricter() -> None:
    random = np.random.default_rng(5)
    val = random.normal(size=(4000, DIM))
    val = (val / np.linalg.norm(val, axis=1, keepdims=True)).astype(np.float32)
    centres = val[:1]
    limits = fit_limits(val, centres, SETTINGS)
    assert 0 < limits.verification <= limits.enrollment
    assert refused(val, centres, limits.enrollment).value <= SETTINGS.enrollment_share
    assert refused(val, centres, limits.verification).value <= SETTINGS.verification_share
    assert refused(val, centres, limits.enrollment).value > 0.004


def test_what_passes_and_matches_is_counted_over_all_pairs() -> None:
    centre, other = np.eye(DIM, dtype=np.float32)[:2]
    rows = np.stack([centre, centre, other, other])
    found = outcome(rows, centre[None], 0.5, 0.9)
    assert found.refused.value == 0.5
    assert found.matching == pytest.approx(2 / 6)
    assert found.passing_and_matching == pytest.approx(1 / 6)


@pytest.mark.parametrize("name", [*FITTED, *HELD_OUT])
def test_a_rendering_is_another_crop_of_the_same_shape(name: str) -> None:
    render = {**FITTED, **HELD_OUT}[name]
    crop = np.random.default_rng(1).integers(0, 255, (128, 128, 3)).astype(np.uint8)
    crop[30:70, 40:90] //= 3
    before = crop.copy()
    found = render(crop, np.random.default_rng(2))
    assert found.shape == crop.shape
    assert found.dtype == np.uint8
    assert np.array_equal(found, render(crop, np.random.default_rng(2)))
    assert np.array_equal(crop, before)
    assert not np.array_equal(found, crop)
