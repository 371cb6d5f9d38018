from __future__ import annotations

import pytest
import torch

from training.data.held_out import divide
from training.foundation.errors import DataError
from training.recipes.metric_recipe import DataRecipe

LABELS = torch.arange(20).repeat_interleave(10)
NO_SPLITS: list[str | None] = [None] * 200


def recipe(**changes: object) -> DataRecipe:
    return DataRecipe.model_validate({"sources": [{"kind": "digits"}], **changes})


@pytest.mark.parametrize("how", ["images", "identities"])
def test_the_parts_hold_every_image_once_and_are_the_same_again(how: str) -> None:
    settings = recipe(divide=how, validation=0.1, test=0.2)
    parts = divide(LABELS, NO_SPLITS, settings)
    everything = torch.cat([parts.train, parts.validation, parts.test])
    assert everything.sort().values.tolist() == list(range(200))
    assert (len(parts.validation), len(parts.test)) == (20, 40)
    again = divide(LABELS, NO_SPLITS, settings)
    assert torch.equal(parts.test, again.test)
    other = divide(LABELS, NO_SPLITS, settings.model_copy(update={"seed": 4}))
    assert not torch.equal(parts.test, other.test)


def test_whole_identities_are_held_out_or_some_images_of_each() -> None:
    parts = divide(LABELS, NO_SPLITS, recipe(divide="identities"))
    of = [set(LABELS[rows].tolist()) for rows in (parts.train, parts.validation, parts.test)]
    assert not of[0] & of[1]
    assert not of[0] & of[2]
    assert not of[1] & of[2]
    parts = divide(LABELS, NO_SPLITS, recipe(divide="images"))
    assert set(LABELS[parts.train].tolist()) == set(LABELS[parts.test].tolist()) == set(range(20))


def test_a_data_sets_own_parts_are_kept_and_a_missing_validation_is_taken_from_train() -> None:
    splits: list[str | None] = [*["train"] * 100, *["test"] * 100]
    labels = torch.arange(10).repeat(20)
    parts = divide(labels, splits, recipe(divide="split", validation=0.2))
    assert parts.test.tolist() == list(range(100, 200))
    assert len(parts.validation) == 20
    assert int(parts.validation.max()) < 100
    splits[:10] = ["validation"] * 10
    parts = divide(labels, splits, recipe(divide="split", validation=0.2))
    assert parts.validation.tolist() == list(range(10))
    with pytest.raises(DataError, match="not dev"):
        divide(labels, ["dev"] * 200, recipe(divide="split"))


@pytest.mark.parametrize("how", ["images", "identities", "split"])
def test_images_of_nobody_known_are_learned_from_and_never_judged(how: str) -> None:
    labels = LABELS.clone()
    labels[::3] = -1
    splits: list[str | None] = ["train", "test"] * 100
    parts = divide(labels, splits, recipe(divide=how))
    assert set(torch.nonzero(labels == -1).flatten().tolist()) <= set(parts.train.tolist())


def test_a_part_without_images_is_told() -> None:
    with pytest.raises(DataError, match='by "images" leaves no validation'):
        divide(torch.tensor([0, 0, 1, 1]), [None] * 4, recipe(divide="images", test=0.5))
    with pytest.raises(DataError, match='by "split" leaves no test'):
        divide(torch.tensor([0, 0, 1, 1]), [None] * 4, recipe(divide="split"))
    with pytest.raises(DataError, match="leaves no train"):
        divide(torch.tensor([0, 0, 1, 1]), [None] * 4, recipe())


def test_families_are_held_out_whole() -> None:
    """People of one family look alike: a mother learned from helps to tell her daughters."""
    names = [f"fam-{identity // 4}-m{identity}" for identity in range(16)] + ["a", "b", "c", "d"]
    parts = divide(LABELS, NO_SPLITS, recipe(validation=0.2, test=0.3, kin=r"fam-\d+"), names)
    sides = [set(LABELS[rows].tolist()) for rows in (parts.train, parts.validation, parts.test)]
    assert sum(map(len, sides)) == 20
    for family in range(4):
        members = set(range(4 * family, 4 * family + 4))
        assert sum(bool(members & side) for side in sides) == 1


def test_an_expression_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="no regular expression"):
        recipe(kin="(")
