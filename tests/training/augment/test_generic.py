from __future__ import annotations

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from training.augment.generic import augment_generic
from training.augment.randomness import Randomness
from training.recipes.augment_recipe import GenericAugmentRecipe

CPU = torch.device("cpu")
NOTHING = GenericAugmentRecipe(flip=0, crop=0, brightness=0, contrast=0)


def slopes(count: int, side: int = 16) -> Tensor:
    """Return images that brighten from left to right."""
    ramp = torch.linspace(40, 200, side).round().to(torch.uint8)
    return ramp.expand(count, 3, side, side).contiguous()


def changed(recipe: GenericAugmentRecipe, images: Tensor, seed: int = 1) -> Tensor:
    return augment_generic(images, recipe, Randomness(seed, CPU))


def test_a_recipe_of_zeros_changes_nothing() -> None:
    images = slopes(3)
    torch.testing.assert_close(changed(NOTHING, images), images.float(), atol=0.01, rtol=0)


def test_a_certain_flip_mirrors_every_image() -> None:
    images = slopes(3)
    mirrored = changed(NOTHING.model_copy(update={"flip": 1.0}), images)
    torch.testing.assert_close(mirrored, images.float().flip(-1), atol=0.01, rtol=0)


def test_half_of_the_images_are_flipped_at_a_half() -> None:
    flipped = changed(NOTHING.model_copy(update={"flip": 0.5}), slopes(400))
    share = (flipped[:, 0, 0, 0] > flipped[:, 0, 0, -1]).float().mean()
    assert 0.4 < float(share) < 0.6


def test_a_cut_stays_within_the_image_and_keeps_its_share_of_the_side() -> None:
    cut = changed(NOTHING.model_copy(update={"crop": 0.4}), slopes(300))
    width = (cut[:, 0, 0, -1] - cut[:, 0, 0, 0]) / 160
    assert float(cut.min()) >= 39.9
    assert float(cut.max()) <= 200.1
    assert 0.55 < float(width.min()) < 0.7
    assert float(width.max()) <= 1.01
    assert float((cut[:, 0, 0, 0] - cut[0, 0, 0, 0]).abs().max()) > 5


def test_light_changes_between_images_and_stays_in_range() -> None:
    recipe = NOTHING.model_copy(update={"brightness": 0.9, "contrast": 0.5})
    lit = changed(recipe, slopes(100))
    means = lit.mean(dim=(1, 2, 3))
    assert float(means.max() - means.min()) > 60
    assert float(lit.min()) >= 0
    assert float(lit.max()) <= 255


def test_a_seed_decides_and_the_images_given_stay_as_they_are() -> None:
    images = slopes(8)
    recipe = GenericAugmentRecipe()
    first, same, other = (changed(recipe, images, seed) for seed in (1, 1, 2))
    assert torch.equal(first, same)
    assert not torch.equal(first, other)
    assert torch.equal(images, slopes(8))


@pytest.mark.parametrize("document", [{"flip": 1.5}, {"crop": 1.0}, {"rotate": 3}])
def test_a_recipe_refuses_what_it_does_not_know(document: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        GenericAugmentRecipe.model_validate(document)
