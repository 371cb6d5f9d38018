from __future__ import annotations

import io

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from tests.training.data.made_images import encoded, pixels
from training.data.decoding import LIMITS, as_rgb, decode_picture, stored_form
from training.data.images import UnreadableImageError


def saved(image: Image.Image, file_format: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, file_format, **options)
    return stream.getvalue()


@pytest.mark.parametrize("file_format", ["PNG", "BMP", "PPM", "TIFF"])
def test_formats_without_loss_give_back_every_pixel(file_format: str) -> None:
    picture = pixels(1, 12, 17)
    np.testing.assert_array_equal(decode_picture(encoded(picture, file_format), "a"), picture)


def test_grey_becomes_three_equal_channels() -> None:
    grey = pixels(2)[:, :, 0]
    for file_format in ("PNG", "PPM", "GIF"):
        picture = decode_picture(saved(Image.fromarray(grey), file_format), "a")
        np.testing.assert_array_equal(picture, np.repeat(grey[:, :, None], 3, axis=2))


@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "PPM"])
def test_sixteen_bits_are_scaled_not_cut(file_format: str) -> None:
    deep = np.array([[0, 257, 32896, 65535]], np.uint16)
    picture = decode_picture(saved(Image.fromarray(deep), file_format), "a")
    assert picture[0, :, 0].tolist() == [0, 1, 128, 255]


@pytest.mark.parametrize("file_format", ["PNG", "TIFF"])
def test_what_is_transparent_is_white(file_format: str) -> None:
    layered = np.zeros((1, 3, 4), np.uint8)
    layered[0, :, 3] = [0, 128, 255]
    picture = decode_picture(saved(Image.fromarray(layered), file_format), "a")
    assert picture[0, :, 1].tolist() == [255, 127, 0]


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "TIFF"])
def test_a_picture_stands_upright_as_its_camera_says(file_format: str) -> None:
    tall = np.zeros((40, 24, 3), np.uint8)
    tall[:20, :, 0] = 250  # red above
    exif = Image.Exif()
    exif[0x0112] = 6  # stored on its side: turn it a quarter clockwise
    lying = Image.fromarray(np.rot90(tall).copy())
    picture = decode_picture(saved(lying, file_format, exif=exif), "a")
    assert picture.shape == (40, 24, 3)
    assert picture[:16, :, 0].min() > 200
    assert picture[24:, :, 0].max() < 50


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no picture that can be decoded"),
        (b"GIF89a and then nothing", "no picture that can be decoded"),
        (b"P5 4 4 255 short", "no picture that can be decoded"),
        (b"P5 20000 20000 255 ", "no picture that can be decoded|too many"),
        (encoded(pixels(1))[:60], "the file ends"),
        (encoded(pixels(1), "JPEG")[:40], "the file ends"),
    ],
)
def test_what_cannot_be_decoded_names_key_and_reason(content: bytes, reason: str) -> None:
    with pytest.raises(UnreadableImageError, match=rf"^set/a\.png: .*({reason})"):
        decode_picture(content, "set/a.png")


def test_a_picture_of_too_many_pixels_is_not_decoded() -> None:
    side = int(LIMITS.max_pixels**0.5) + 1
    header = f"P5 {side} {side} 255 ".encode()
    with pytest.raises(UnreadableImageError, match="pixels are too many"):
        decode_picture(header, "a")


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.array([[True, False]]), [255, 0]),
        (np.array([[7, 9]], np.uint8), [7, 9]),
        (np.array([[[7], [9]]], np.uint8), [7, 9]),
        (np.array([[65535, 257]], np.int32), [255, 1]),
        (np.array([[70000, -5]], np.int64), [255, 0]),
        (np.array([[[10, 255], [10, 0]]], np.uint8), [10, 255]),
    ],
)
def test_arrays_of_any_depth_become_rgb(
    array: npt.NDArray[np.generic], expected: list[int]
) -> None:
    rgb = as_rgb(array)
    assert rgb.dtype == np.uint8
    assert rgb.shape == (1, 2, 3)
    for channel in range(3):
        assert rgb[0, :, channel].tolist() == expected


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((2, 2), np.float32),
        np.zeros(4, np.uint8),
        np.zeros((2, 2, 5), np.uint8),
        np.zeros((0, 2, 3), np.uint8),
    ],
)
def test_arrays_that_are_no_picture_are_refused(array: npt.NDArray[np.generic]) -> None:
    with pytest.raises(UnreadableImageError, match=r"not a picture|no known range"):
        as_rgb(array)


@pytest.mark.parametrize(
    ("mode", "file_format", "told"),
    [
        ("1", "PNG", "1"),
        ("L", "PNG", "L"),
        ("L", "JPEG", "L"),
        ("LA", "PNG", "LA"),
        ("RGB", "JPEG", "RGB"),
        ("RGBA", "PNG", "RGBA"),
        ("RGBA", "WEBP", "RGBA"),
        ("CMYK", "JPEG", "CMYK"),
        ("CMYK", "TIFF", "CMYK"),
        ("P", "GIF", "P"),
        ("I;16", "PNG", "I;16"),
        ("I;16", "TIFF", "I;16"),
    ],
)
def test_a_file_tells_how_it_stores_its_pixels(mode: str, file_format: str, told: str) -> None:
    assert stored_form(saved(Image.new(mode, (5, 4)), file_format)) == told


def test_hidden_transparency_and_depth_are_told() -> None:
    palette = Image.fromarray(pixels(3)).convert("P")
    assert stored_form(saved(palette, "PNG", transparency=0)) == "P with transparency"
    for file_format in (".png", ".tiff"):
        for channels, told in ((3, "RGB of 16 bits"), (4, "RGBA of 16 bits")):
            done, deep = cv2.imencode(file_format, np.full((5, 4, channels), 40_000, np.uint16))
            assert done
            assert stored_form(deep.tobytes()) == told
    with pytest.raises(UnreadableImageError, match="no picture"):
        stored_form(b"nothing")
