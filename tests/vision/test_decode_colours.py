from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image

from app.vision.decode import DecodeLimits, decode_photo
from tests.vision.pictures import RED, YELLOW, encoded, quarters

LIMITS = DecodeLimits()


def test_cmyk_and_grey_jpegs_become_rgb() -> None:
    cmyk = encoded(Image.fromarray(quarters()).convert("CMYK"), "JPEG", quality=95)
    assert np.abs(decode_photo(cmyk, LIMITS).astype(int) - quarters()).mean() < 6
    grey = Image.fromarray(quarters()).convert("L")
    picture = decode_photo(encoded(grey, "JPEG", quality=95), LIMITS)
    assert np.abs(picture.astype(int) - np.asarray(grey)[:, :, None]).mean() < 3


def test_sixteen_bits_become_eight_by_scaling_not_by_clipping() -> None:
    ramp = np.linspace(0, 65535, 256 * 8).reshape(256, 8).astype(np.uint16)
    grey = decode_photo(encoded(Image.fromarray(ramp), "PNG"), LIMITS)
    assert np.abs(grey[:, :, 0] - ramp / 257.0).max() <= 1
    colour = cv2.imencode(".png", np.repeat(ramp[:, :, None], 3, axis=2))[1].tobytes()
    assert np.abs(decode_photo(colour, LIMITS) - ramp[:, :, None] / 257.0).max() <= 1


@pytest.mark.parametrize("photo_format", ["PNG", "WEBP"])
@pytest.mark.parametrize("max_side", [4096, 32])
def test_transparency_is_laid_over_white(photo_format: str, max_side: int) -> None:
    layered = np.zeros((64, 64, 4), np.uint8)
    layered[:, 32:] = (*RED, 255)
    options = {"lossless": True} if photo_format == "WEBP" else {}
    content = encoded(layered, photo_format, **options)
    picture = decode_photo(content, DecodeLimits(max_side=max_side))
    middle = picture.shape[1] // 2
    assert (picture[:, : middle - 1] == 255).all()
    assert np.abs(picture[:, middle + 1 :].astype(int) - RED).max() <= 2


@pytest.mark.parametrize("max_side", [4096, 32])
@pytest.mark.parametrize("mode", ["P", "1", "LA", "L"])
def test_palettes_bits_and_grey_with_alpha_become_rgb(mode: str, max_side: int) -> None:
    image = Image.fromarray(quarters(64, 64)).convert(mode)
    picture = decode_photo(encoded(image, "PNG"), DecodeLimits(max_side=max_side))
    expected = np.asarray(image.convert("RGB").resize(picture.shape[1::-1], Image.Resampling.BOX))
    assert np.abs(picture.astype(int) - expected).mean() <= 2


def test_a_transparent_colour_of_a_palette_becomes_white() -> None:
    image = Image.fromarray(quarters()).convert("P", palette=Image.Palette.ADAPTIVE, colors=4)
    transparent = int(np.asarray(image)[0, 0])
    picture = decode_photo(encoded(image, "PNG", transparency=transparent), LIMITS)
    assert (picture[5, 5] == 255).all()
    assert np.abs(picture[40, 60].astype(int) - YELLOW).max() <= 2


@pytest.mark.parametrize("photo_format", ["PNG", "WEBP"])
def test_of_an_animation_the_first_frame_counts(photo_format: str) -> None:
    first = Image.fromarray(quarters())
    others = [Image.new("RGB", (64, 48), "black") for _ in range(3)]
    content = encoded(first, photo_format, save_all=True, append_images=others, lossless=True)
    assert np.abs(decode_photo(content, LIMITS).astype(int) - quarters()).mean() < 2


def test_a_jpeg_with_a_second_picture_behind_it_is_a_jpeg() -> None:
    content = encoded(
        Image.fromarray(quarters()),
        "MPO",
        save_all=True,
        append_images=[Image.new("RGB", (16, 12), "black")],
    )
    assert np.abs(decode_photo(content, LIMITS).astype(int) - quarters()).mean() < 4
