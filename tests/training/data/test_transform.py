from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from pydantic import ValidationError

from app.domain.faces import Picture
from tests.training.data.made_images import image_set, pixels, write_identities
from training.data.images import ImageSet, UnreadableImageError
from training.data.readers.folders import read_folders
from training.data.transform import fit_picture, fit_tensor, load_images
from training.foundation.errors import DataError
from training.recipes.transform_recipe import TransformRecipe


def quartered(height: int, width: int) -> Picture:
    """Return a picture whose left half is red and whose lower half is blue."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[:, : width // 2, 0] = 240
    picture[height // 2 :, :, 2] = 240
    return picture


@pytest.mark.parametrize("fit", ["stretch", "crop", "pad"])
def test_a_picture_of_the_right_size_keeps_every_pixel(fit: str) -> None:
    picture = pixels(1, 24, 24)
    recipe = TransformRecipe.model_validate({"size": 24, "fit": fit})
    np.testing.assert_array_equal(fit_picture(picture, recipe), picture)


def test_stretch_keeps_all_and_loses_proportions() -> None:
    fitted = fit_picture(quartered(20, 80), TransformRecipe(size=40, fit="stretch"))
    assert fitted[:, :19, 0].min() == 240
    assert fitted[:, 21:, 0].max() == 0
    assert fitted[22:, :, 2].min() == 240


def test_crop_is_the_middle_square_resized() -> None:
    picture = pixels(3, 30, 50)
    middle = Image.fromarray(picture[:, 10:40]).resize((16, 16), Image.Resampling.BILINEAR)
    fitted = fit_picture(picture, TransformRecipe(size=16, fit="crop"))
    np.testing.assert_array_equal(fitted, np.asarray(middle))


def test_pad_keeps_all_and_proportions_on_black() -> None:
    fitted = fit_picture(np.full((20, 80, 3), 200, np.uint8), TransformRecipe(size=40, fit="pad"))
    assert fitted[15:25].min() == 200
    assert fitted[:15].max() == 0
    assert fitted[25:].max() == 0


@pytest.mark.parametrize("fit", ["stretch", "crop", "pad"])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 500), (500, 1), (33, 47)])
def test_every_shape_becomes_the_square(fit: str, height: int, width: int) -> None:
    recipe = TransformRecipe.model_validate({"size": 28, "fit": fit})
    fitted = fit_picture(np.full((height, width), 90, np.uint8), recipe)
    assert fitted.shape == (28, 28, 3)
    assert fitted.max() == 90


def test_the_tensor_holds_the_same_pixels_channels_first() -> None:
    recipe = TransformRecipe(size=20)
    tensor = fit_tensor(pixels(5, 40, 30), recipe)
    assert tensor.dtype == torch.uint8
    np.testing.assert_array_equal(
        tensor.permute(1, 2, 0).numpy(), fit_picture(pixels(5, 40, 30), recipe)
    )


@pytest.mark.parametrize("document", [{"size": 0}, {"fit": "squash"}, {"sise": 28}])
def test_a_recipe_refuses_what_it_does_not_know(document: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        TransformRecipe.model_validate(document)


def broken_folders(root: Path) -> ImageSet:
    write_identities(root, {"ada": 2, "bob": 2, "gone": 1})
    (root / "bob" / "0.png").write_bytes(b"broken")
    (root / "gone" / "0.png").write_bytes(b"broken")
    return read_folders(root)


def test_loading_skips_and_lists_what_cannot_be_read(tmp_path: Path) -> None:
    loaded = load_images(broken_folders(tmp_path), TransformRecipe(size=12))
    assert loaded.keys == ("ada/0.png", "ada/1.png", "bob/1.png")
    assert loaded.images.shape == (3, 3, 12, 12)
    assert loaded.labels.tolist() == [0, 0, 1]
    assert loaded.label_names == ("ada", "bob")
    assert [key for key, _ in loaded.skipped] == ["bob/0.png", "gone/0.png"]
    assert loaded.skipped[0][1] == "this is no picture that can be decoded"


def test_loading_can_refuse_what_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UnreadableImageError, match=r"bob/0\.png: this is no picture"):
        load_images(broken_folders(tmp_path), TransformRecipe(size=12), "raise")


def test_images_of_mixed_shapes_and_depths_load_together() -> None:
    grey = pixels(2, 9, 30)[:, :, 0]
    images = image_set([("a", pixels(1, 40, 20)), (None, grey), ("b", pixels(3, 12, 12))])
    loaded = load_images(images, TransformRecipe(size=12), threads=3)
    assert loaded.labels.tolist() == [0, -1, 1]
    assert not loaded.skipped
    for row, item in enumerate(images.items):
        assert torch.equal(loaded.images[row], fit_tensor(item.read(), TransformRecipe(size=12)))


def test_a_set_that_cannot_be_read_at_all_is_an_error() -> None:
    bad = image_set([("a", np.zeros((2, 2, 7), np.uint8))])
    with pytest.raises(DataError, match="no image that can be read; 0: an array of shape"):
        load_images(bad, TransformRecipe(size=12))
    with pytest.raises(DataError, match="no image that can be read"):
        load_images(replace(bad, items=()), TransformRecipe(size=12))
