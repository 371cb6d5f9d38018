from __future__ import annotations

import tracemalloc
import warnings
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from app.domain.photo_errors import (
    PhotoCutError,
    PhotoError,
    PhotoTooManyBytesError,
    PhotoTooManyPixelsError,
    UndecodablePhotoError,
    UnsupportedPhotoTypeError,
)
from app.vision.decode import DecodeLimits, decode_photo, sniff_format
from tests.vision.pictures import (
    BLUE,
    GREEN,
    RED,
    YELLOW,
    encoded,
    original_size,
    png_header_only,
    quarters,
    smooth_noise,
)

LIMITS = DecodeLimits()
FORMATS = ["JPEG", "PNG", "WEBP", "BMP"]


def with_orientation(image: Image.Image, value: int, photo_format: str) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = value
    return encoded(image, photo_format, exif=exif.tobytes())


@pytest.mark.parametrize("photo_format", FORMATS)
def test_every_accepted_format_keeps_its_colours_and_places(photo_format: str) -> None:
    picture = decode_photo(encoded(quarters(), photo_format), LIMITS)
    assert picture.dtype == np.uint8
    assert picture.shape == (48, 64, 3)
    for (row, column), colour in {
        (12, 16): RED,
        (12, 48): GREEN,
        (36, 16): BLUE,
        (36, 48): YELLOW,
    }.items():
        assert np.abs(picture[row, column].astype(int) - colour).max() <= 8


# What the camera stores so that the viewer, obeying the tag, sees the upright picture.
STORED = {
    1: lambda upright: upright,
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: upright[::-1, ::-1],
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.transpose(1, 0, 2),
    6: lambda upright: np.rot90(upright, 1),
    7: lambda upright: upright[::-1, ::-1].transpose(1, 0, 2),
    8: lambda upright: np.rot90(upright, -1),
}


@pytest.mark.parametrize("photo_format", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("value", range(1, 9))
def test_exif_orientation_is_applied_exactly_once(value: int, photo_format: str) -> None:
    stored = Image.fromarray(np.ascontiguousarray(STORED[value](quarters())))
    content = with_orientation(stored, value, photo_format)
    picture = decode_photo(content, LIMITS)
    assert picture.shape == (48, 64, 3)
    inner = np.abs(picture.astype(int) - quarters())[4:20, 4:28]
    assert inner.max() <= 12
    assert np.abs(picture.astype(int) - quarters()).mean() < 4
    assert original_size(content, LIMITS) == (64, 48)


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_changes_nothing(value: int) -> None:
    content = with_orientation(Image.fromarray(quarters()), value, "PNG")
    assert np.array_equal(decode_photo(content, LIMITS), quarters())


def test_broken_exif_does_not_cost_the_photo() -> None:
    content = encoded(quarters(), "PNG", exif=b"Exif\x00\x00MM\x00*garbage" * 3)
    assert np.array_equal(decode_photo(content, LIMITS), quarters())


def test_too_many_bytes_are_refused_before_anything_is_looked_at() -> None:
    with pytest.raises(PhotoTooManyBytesError, match="101 bytes"):
        decode_photo(bytes(101), DecodeLimits(max_bytes=100))
    assert decode_photo(encoded(quarters(), "PNG"), LIMITS).size


@pytest.mark.parametrize(
    "content",
    [b"", b"x", b"GIF89a" + bytes(50), b"%PDF-1.7", b"BM is no bitmap at all", b"II*\x00" * 9]
    + [encoded(quarters(), name) for name in ("GIF", "TIFF", "ICO", "PPM")],
)
def test_other_types_are_unsupported(content: bytes) -> None:
    with pytest.raises(UnsupportedPhotoTypeError):
        decode_photo(content, LIMITS)


@pytest.mark.parametrize(("width", "height"), [(50_000, 50_000), (10_000, 10_000), (5001, 5000)])
def test_a_decompression_bomb_is_refused_by_its_header(width: int, height: int) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(PhotoTooManyPixelsError):
            decode_photo(png_header_only(width, height), LIMITS)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("photo_format", FORMATS)
def test_a_limit_of_pixels_holds_for_every_format(photo_format: str) -> None:
    content = encoded(quarters(), photo_format)
    needed = 64 * 48 * 2 if photo_format == "WEBP" else 64 * 48
    assert decode_photo(content, DecodeLimits(max_pixels=needed)).shape == (48, 64, 3)
    with pytest.raises(PhotoTooManyPixelsError, match="64 x 48"):
        decode_photo(content, DecodeLimits(max_pixels=needed - 1))


@pytest.mark.parametrize("photo_format", FORMATS)
@pytest.mark.parametrize("kept", [0.02, 0.3, 0.6, 0.9])
def test_a_truncated_file_is_called_cut(photo_format: str, kept: float) -> None:
    content = encoded(smooth_noise(200), photo_format)
    with pytest.raises(PhotoCutError):
        decode_photo(content[: max(40, int(len(content) * kept))], LIMITS)


@pytest.mark.parametrize("photo_format", FORMATS)
def test_one_pixel_is_a_picture(photo_format: str) -> None:
    content = encoded(np.full((1, 1, 3), 90, np.uint8), photo_format)
    assert decode_photo(content, LIMITS).shape == (1, 1, 3)


@pytest.mark.parametrize(("width", "height"), [(20_000, 1), (1, 9_000), (9_000, 3)])
def test_a_very_long_picture_is_reduced_and_keeps_at_least_one_pixel(
    width: int, height: int
) -> None:
    picture = decode_photo(encoded(np.full((height, width, 3), 70, np.uint8), "PNG"), LIMITS)
    assert max(picture.shape[:2]) == LIMITS.max_side
    assert min(picture.shape[:2]) >= 1
    assert (picture == 70).all()


@pytest.mark.parametrize("photo_format", FORMATS)
def test_a_large_picture_is_reduced_without_moving(photo_format: str) -> None:
    large = quarters(1200, 900)
    picture = decode_photo(encoded(large, photo_format), DecodeLimits(max_side=400))
    height, width = picture.shape[:2]
    assert 300 <= width <= 400  # the JPEG decoder may reduce a little further, by a whole factor
    assert height * 4 == width * 3
    assert np.abs(picture.astype(int) - quarters(width, height)).mean() < 4
    assert original_size(encoded(large, photo_format), DecodeLimits(max_side=400)) == (1200, 900)


def test_a_reduced_photo_is_turned_after_it_was_reduced() -> None:
    stored = Image.fromarray(np.ascontiguousarray(STORED[6](quarters(1200, 900))))
    picture = decode_photo(with_orientation(stored, 6, "JPEG"), DecodeLimits(max_side=400))
    height, width = picture.shape[:2]
    assert width > height
    assert np.abs(picture.astype(int) - quarters(width, height)).mean() < 4


@settings(deadline=None)
@given(st.binary(max_size=300), st.sampled_from(FORMATS), st.integers(0, 40))
def test_garbage_behind_a_good_beginning_is_a_photo_error_or_a_picture(
    garbage: bytes, photo_format: str, kept: int
) -> None:
    start = encoded(quarters(8, 8), photo_format)[: 26 + kept]
    assert sniff_format(start).upper() == photo_format
    try:
        picture = decode_photo(start + garbage, LIMITS)
    except PhotoError:
        return
    assert picture.ndim == 3


@settings(deadline=None)
@given(st.data())
def test_a_photo_with_changed_bytes_is_a_photo_error_or_a_picture(data: st.DataObject) -> None:
    content = bytearray(encoded(smooth_noise(24), data.draw(st.sampled_from(FORMATS))))
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        decode_photo(bytes(content), LIMITS)
    except PhotoError:
        return


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_garbage_is_never_anything_but_a_photo_error(garbage: bytes) -> None:
    with pytest.raises(PhotoError):
        decode_photo(garbage, LIMITS)


def test_pillows_warnings_stay_inside() -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        with pytest.raises(PhotoTooManyPixelsError):
            decode_photo(png_header_only(10_000, 10_000), LIMITS)
    assert not seen


def test_the_picture_can_be_written_to_and_is_contiguous() -> None:
    picture = decode_photo(encoded(quarters(), "PNG"), LIMITS)
    assert picture.flags.c_contiguous
    assert picture.flags.writeable
    assert Image.open(BytesIO(encoded(picture, "PNG"))).size == (64, 48)


def test_a_jpeg_of_very_many_scans_is_refused_before_any_is_decoded() -> None:
    """Each pass over all pixels costs the same, however few bytes it has."""
    honest = encoded(smooth_noise(640), "JPEG", progressive=True)
    assert decode_photo(honest, LIMITS).shape == (640, 640, 3)
    last_scan = honest[honest.rindex(b"\xff\xda") : honest.rindex(b"\xff\xd9")]
    hostile = honest.removesuffix(b"\xff\xd9") + last_scan * 200 + b"\xff\xd9"
    with pytest.raises(UndecodablePhotoError, match="scans, at most 100"):
        decode_photo(hostile, LIMITS)
