from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from tests.training.made_data import picture, tiny_recipe
from training.augment.degradation import jpeg
from training.augment.geometry import cut_crops
from training.augment.occlusion import fill_outside
from training.augment.pipeline import augment, mix_faces
from training.augment.randomness import Randomness
from training.recipes.recipe import AugmentRecipe
from training.teachers.torchscript import warp_to_template

CPU = torch.device("cpu")


def stored(count: int) -> torch.Tensor:
    rows = []
    for seed in range(count):
        decoded = cv2.imdecode(np.frombuffer(picture(seed), np.uint8), cv2.IMREAD_COLOR)
        assert decoded is not None
        rows.append(torch.from_numpy(decoded[:, :, ::-1].transpose(2, 0, 1).copy()))
    return torch.stack(rows)


@pytest.mark.parametrize("size", [80, 96, 112])
def test_augmented_pictures_are_finite_and_in_range(size: int) -> None:
    strong = AugmentRecipe(
        grey=0.5, downscale=0.5, blur=0.5, jpeg=0.5, occlusion=0.5, mask=0.5, mixup=0.5
    )
    for seed in range(5):
        made = augment(stored(9), size, strong, Randomness(seed, CPU))
        assert made.shape == (9, 3, size, size)
        assert torch.isfinite(made).all()
        assert float(made.min()) >= 0
        assert float(made.max()) <= 255


def test_the_same_seed_gives_the_same_pictures() -> None:
    recipe = AugmentRecipe()
    first = augment(stored(6), 112, recipe, Randomness(4, CPU))
    again = augment(stored(6), 112, recipe, Randomness(4, CPU))
    other = augment(stored(6), 112, recipe, Randomness(5, CPU))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_without_a_recipe_the_cut_is_the_centre_to_the_bit() -> None:
    images = stored(3).float()
    assert torch.allclose(cut_crops(images, 112, None, None), images[:, :, 8:120, 8:120], atol=1e-3)


def test_everything_switched_off_changes_nothing() -> None:
    off = AugmentRecipe(
        **dict.fromkeys(AugmentRecipe.model_fields, 0.0),
    )
    images = stored(3)
    made = augment(images, 112, off, Randomness(1, CPU))
    assert torch.allclose(made, images.float()[:, :, 8:120, 8:120], atol=1e-2)


def test_what_lies_outside_a_photo_is_filled_and_the_rest_kept() -> None:
    images = stored(8)
    images[:, :, :40] = 0
    filled = fill_outside(images, Randomness(2, CPU))
    assert torch.equal(filled[:, :, 40:], images[:, :, 40:].float())
    assert float((filled[:, :, :40] == 0).all(dim=1).float().mean()) < 0.2
    assert torch.equal(images[:, :, :40], torch.zeros_like(images[:, :, :40]))


@pytest.mark.parametrize("quality", [20.0, 50.0, 75.0])
def test_jpeg_is_near_what_a_jpeg_library_does(quality: float) -> None:
    grey = stored(1).float().mean(dim=1, keepdim=True).expand(-1, 3, -1, -1)[:, :, :112, :112]
    grey = grey + torch.randn(1, 1, 112, 112, generator=torch.Generator().manual_seed(1)) * 10
    grey = grey.clamp(0, 255).round()
    ours = jpeg(grey, torch.tensor([quality]))[0, 0].numpy()
    plane = grey[0, 0].numpy().astype(np.uint8)
    _, encoded = cv2.imencode(".jpg", plane, [cv2.IMWRITE_JPEG_QUALITY, int(quality)])
    theirs = cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE)
    assert theirs is not None
    assert np.abs(ours - theirs.astype(float)).mean() < 1.0
    assert np.abs(theirs.astype(float) - plane).mean() > 1.5


def test_mixed_faces_lie_between_their_parents() -> None:
    images = stored(10).float()
    mixed = mix_faces(images.clone(), 1.0, Randomness(3, CPU))
    assert not torch.equal(mixed, images)
    assert float(mixed.min()) >= float(images.min()) - 1e-3
    assert float(mixed.max()) <= float(images.max()) + 1e-3


def test_a_teacher_on_the_arcface_template_sees_the_plain_centre() -> None:
    teacher = tiny_recipe().teachers[1]
    images = stored(2).float()
    seen = warp_to_template(images, teacher, 128, 8 / 112)
    assert torch.allclose(seen, images[:, :, 8:120, 8:120], atol=0.05)


def test_stored_and_cut_crops_look_alike_to_a_teacher_of_another_template() -> None:
    wide = (
        tiny_recipe()
        .teachers[0]
        .model_copy(
            update={
                "input_size": 128,
                "template": (
                    (0.31557, 0.46157),
                    (0.68262, 0.46157),
                    (0.50026, 0.64051),
                    (0.34947, 0.82470),
                    (0.65344, 0.82470),
                ),
            }
        )
    )
    images = stored(2).float()
    from_stored = warp_to_template(images, wide, 128, 8 / 112)
    from_cut = warp_to_template(images[:, :, 8:120, 8:120], wide, 112, 0.0)
    assert float((from_stored - from_cut).abs().mean()) < 0.5
    # The eyes of the ArcFace template land where the teacher wants them.
    marked = torch.zeros(1, 3, 128, 128)
    marked[:, :, 52 + 8 - 1 : 52 + 8 + 2, 38 + 8 - 1 : 38 + 8 + 2] = 255
    seen = warp_to_template(marked, wide, 128, 8 / 112)[0, 0]
    row, column = divmod(int(seen.argmax()), 128)
    assert abs(column - 0.31557 * 128) < 3
    assert abs(row - 0.46157 * 128) < 3
