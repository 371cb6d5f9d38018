from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.domain.faces import Picture
from app.vision.detector import FaceDetector
from tests.training.data.made_images import image_set, pixels
from training.data.blurring import watchful_detector
from training.data.decoding import read_picture
from training.data.images import ImageItem, ImageSet, UnreadableImageError
from training.data.transform import fit_picture
from training.foundation.errors import DataError
from training.inspection.preview import preview_images, said_of
from training.inspection.sheet import TILE, Group, Strip, draw_sheet
from training.recipes.augment_recipe import NO_CHANGE, GenericAugmentRecipe
from training.recipes.recipe import AugmentRecipe
from training.recipes.transform_recipe import TransformRecipe

PEOPLE = Path(__file__).parents[2] / "fixtures" / "people"
RECIPE = TransformRecipe(size=TILE)
COLOURS = {"red": (250, 0, 0), "blue": (0, 0, 250)}


def plain(colour: str, side: int = 30) -> Picture:
    return np.full((side, side, 3), COLOURS[colour], np.uint8)


def two_colours(side: int = 30) -> ImageSet:
    return image_set([(colour, plain(colour, side)) for colour in COLOURS for _ in range(3)])


def share(sheet: Image.Image, colour: str) -> float:
    """Return the share of pixels of exactly this colour, in tiles."""
    return float((np.asarray(sheet) == COLOURS[colour]).all(axis=2).sum()) / TILE**2


def test_a_strip_shows_every_tile_once() -> None:
    groups = tuple(Group((plain("red"), plain("blue")), "two") for _ in range(9))
    sheet = draw_sheet([Strip("title", groups)])
    assert share(sheet, "red") == pytest.approx(9, abs=0.01)
    assert share(sheet, "blue") == pytest.approx(9, abs=0.01)


def test_captions_are_cut_to_their_group() -> None:
    short = draw_sheet([Strip("t", (Group((plain("red"),), "x" * 400),))])
    assert (np.asarray(short)[:, 140:] == 255).all()


def test_pairs_and_triplets_show_what_their_labels_say() -> None:
    """Twelve pairs of each kind and eight triplets: by colour, every tile can be counted."""
    sheet = np.asarray(preview_images(two_colours(), transform=RECIPE, seed=3))
    columns = [16 + across * (2 * TILE + 3 + 14) + TILE // 2 for across in range(6)]
    first_row = 16 + 34 + TILE // 2
    second_strip = first_row + 2 * (TILE + 22) + 34
    for column in columns:
        assert (sheet[first_row, column] == sheet[first_row, column + TILE + 3]).all()
        assert (sheet[second_strip, column] != sheet[second_strip, column + TILE + 3]).any()


def test_a_seed_decides_the_picture() -> None:
    images = image_set([(str(n % 4), pixels(n, 40, 30)) for n in range(16)])
    first, same, other = (
        np.asarray(preview_images(images, transform=RECIPE, seed=seed)) for seed in (1, 1, 2)
    )
    assert np.array_equal(first, same)
    assert not np.array_equal(first, other)


def test_a_set_without_pairs_shows_single_images() -> None:
    images = image_set([(None, plain("red")), ("a", plain("blue"))])
    sheet = preview_images(images, transform=RECIPE)
    assert share(sheet, "red") >= 1
    assert share(sheet, "blue") >= 1


def test_images_are_changed_as_the_recipe_says_and_in_no_other_way() -> None:
    """A distillation makes colour casts and patches, which ``learn`` never makes of any crop."""
    grey = image_set([(str(n % 2), np.full((128, 128, 3), 120, np.uint8)) for n in range(6)])
    crops = TransformRecipe(size=128, fit="stretch")
    faces = np.asarray(preview_images(grey, transform=crops, changes=AugmentRecipe()))
    assert np.ptp(faces.astype(np.int16), axis=2).max() > 20
    light = np.asarray(preview_images(grey, transform=crops, changes=GenericAugmentRecipe()))
    assert np.ptp(light.astype(np.int16), axis=2).max() <= 8  # the ink of captions
    lit = np.isin(light[:, :, 0], (*range(60, 115), *range(126, 200))).sum()
    none = np.asarray(preview_images(grey, transform=crops, changes=NO_CHANGE))
    assert np.isin(none[:, :, 0], (*range(60, 115), *range(126, 200))).sum() < lit / 10
    assert said_of(NO_CHANGE) == "this recipe changes nothing"
    assert said_of(GenericAugmentRecipe(flip=0)) == "crop 0.15, brightness 0.2, contrast 0.2"


def _unreadable() -> Picture:
    raise UnreadableImageError("broken")


def test_unreadable_images_are_crossed_out() -> None:
    items = tuple(ImageItem(str(n), str(n % 2), _unreadable) for n in range(4))
    sheet = np.asarray(preview_images(ImageSet("broken", items), transform=RECIPE))
    assert (sheet == (150, 60, 60)).all(axis=2).any()
    with pytest.raises(DataError, match="holds no image"):
        preview_images(ImageSet("empty", ()), transform=RECIPE)


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return watchful_detector()


def test_faces_are_shown_aligned_and_pictures_without_one_crossed_out() -> None:
    photo = read_picture(PEOPLE / "person-01" / "1.jpg", "1.jpg")
    align = TransformRecipe(size=TILE, fit="align")
    face = fit_picture(photo, align)
    images = image_set([("ann", photo), ("ann", photo), ("bob", plain("red"))])
    sheet = np.asarray(preview_images(images, transform=align))
    assert (sheet == (150, 60, 60)).all(axis=2).any()
    assert share(Image.fromarray(sheet), "red") == 0
    top, left = 16 + 34, 16
    shown = sheet[top - 20 : top + TILE + 20, left - 10 : left + TILE + 10]
    windows = np.lib.stride_tricks.sliding_window_view(shown, face.shape).reshape(-1, *face.shape)
    assert any(np.array_equal(window, face) for window in windows)


def test_blurred_faces_cannot_be_aligned(detector: FaceDetector) -> None:
    with pytest.raises(DataError, match="blurred face cannot be aligned"):
        preview_images(two_colours(), transform=TransformRecipe(fit="align"), blur_with=detector)


def test_blurring_hides_pictures_and_names(detector: FaceDetector) -> None:
    checks = np.indices((60, 60)).sum(axis=0) // 3 % 2
    board: Picture = (checks[:, :, None].repeat(3, axis=2) * 255).astype(np.uint8)
    sheets = [
        np.asarray(
            preview_images(
                image_set([(label, board) for label in labels for _ in range(2)]),
                transform=RECIPE,
                blur_with=detector,
            )
        )
        for labels in (("Ann Ash", "Bo Birch"), ("Ken Kiefer", "Zoe Zeder"))
    ]
    assert np.array_equal(sheets[0], sheets[1])
    tile = sheets[0][60:140, 26:110]
    assert np.ptp(tile) < 60  # a board of black and white is left grey
