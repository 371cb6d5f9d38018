"""Crowds are found where many different people are alike, and hold nobody's embedding."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from tests.training.made_data import crop_set
from training.engines.hubness import MIN_PEOPLE, fit_hubness, one_of_each
from training.foundation.errors import DataError
from training.networks.hubness import crowdedness
from training.recipes.build_recipe import joined_recipe, load_build_recipe
from training.recipes.recipe import HubnessRecipe

DIM = 24


def settings_of(**changes: float) -> HubnessRecipe:
    """Return what ships, with changes."""
    return joined_recipe(load_build_recipe()).hubness.model_copy(update=changes)


def people(spread: float, count: int, seed: int) -> torch.Tensor:
    """Return unit rows ``(count, DIM)`` round one place of the seed's, ``spread`` wide."""
    generator = torch.Generator().manual_seed(seed)
    place = F.normalize(torch.randn(1, DIM, generator=generator), dim=1)
    own = F.normalize(torch.randn(count, DIM, generator=generator), dim=1)
    return F.normalize(place + spread * own, dim=1)


def two_groups() -> torch.Tensor:
    """Return 300 people who are much alike and 300 who are little so."""
    return torch.cat([people(0.9, 300, 1), people(3.0, 300, 2)])


def mean_cosine(rows: torch.Tensor) -> float:
    """Return the mean cosine of different rows."""
    cosines = rows @ rows.T
    return float((cosines.sum() - cosines.trace()) / (len(rows) * (len(rows) - 1)))


def test_the_group_that_is_confused_more_is_confused_less_afterwards() -> None:
    settings = settings_of(centres=8, nearest=1, strength=0.4, offset=0.4)
    made = fit_hubness(two_groups(), settings, seed=0)
    near, far = people(0.9, 200, 1)[100:], people(3.0, 200, 2)[100:]
    before = mean_cosine(near) - mean_cosine(far)
    after = mean_cosine(made(near)) - mean_cosine(made(far))
    assert after < 0.8 * before


def test_every_centre_is_the_mean_of_many_and_nobodys_embedding() -> None:
    # One who is like nobody else would be a centre alone, if centres of one were kept.
    alone = -people(0.01, 1, 1)
    rows = torch.cat([two_groups(), alone])
    made = fit_hubness(rows, settings_of(centres=12), seed=0)
    assert float((rows @ made.centres.T).max()) < 0.995
    assert float((alone @ made.centres.T).max()) < 0.5  # the centre of one was dropped


def test_what_is_usual_is_told_by_people_who_are_in_no_centre() -> None:
    rows = two_groups()
    made_with = settings_of(centres=8, nearest=1)
    made = fit_hubness(rows, made_with, seed=0)
    kept = rows[torch.arange(len(rows)) % 10 == 0]
    told = float(crowdedness(kept, made.centres, 1).mean()) - made_with.nearer
    assert made.usual == pytest.approx(told, abs=1e-5)


def test_the_same_seed_gives_the_same_correction() -> None:
    settings = settings_of(centres=8)
    one, two = (fit_hubness(two_groups(), settings, seed=3) for _ in range(2))
    torch.testing.assert_close(one.centres, two.centres)


@pytest.mark.parametrize("count", [0, MIN_PEOPLE - 1, MIN_PEOPLE, MIN_PEOPLE + 2])
def test_too_few_people_make_no_crowd(count: int) -> None:
    with pytest.raises(DataError, match=f"{MIN_PEOPLE} are needed"):
        fit_hubness(people(1.0, count, 1), settings_of(), seed=0)


def test_the_fewest_people_who_suffice_make_one_crowd() -> None:
    rows = people(1.0, MIN_PEOPLE + 3, 1)
    made = fit_hubness(rows, settings_of(), seed=0)
    assert len(made.centres) == 1
    assert bool(made(rows).isfinite().all())


def test_of_each_known_person_one_picture_counts_and_of_unknown_people_all() -> None:
    crops = crop_set([4, 4, -1, 7, -1, 7, 4], [-1] * 7, [0] * 7)
    assert one_of_each(crops).tolist() == [0, 2, 3, 4]
