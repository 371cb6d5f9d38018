"""What honest cameras and capture libraries send: used, or refused with a word that helps."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.domain.photo_errors import (
    PhotoCutError,
    PhotoError,
    PhotoTooManyPixelsError,
    UndecodablePhotoError,
    UnsupportedPhotoTypeError,
)
from app.vision.decode import DecodeLimits, decode_photo, sniff_format
from app.vision.files.examine import examine_photo
from tests.vision.hostile_files import (
    EOI,
    behind_start,
    chunk,
    deep_png,
    extended_webp,
    png,
    riff_chunk,
    run_length_bmp,
    runs_of,
    segment,
)
from tests.vision.pictures import Pixels, encoded, original_size, quarters, smooth_noise

LIMITS = DecodeLimits()
HEIC = (Path(__file__).resolve().parents[1] / "fixtures/files/person-01.heic").read_bytes()
NOISE = smooth_noise(200)
MJPEG = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: 9731\r\n\r\n"


def apart(left: Pixels, right: Pixels) -> float:
    return float(np.abs(left.astype(int) - right.astype(int)).mean())


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("missing", [1, 2])
def test_a_jpeg_without_its_last_marker_is_used(missing: int, progressive: bool) -> None:
    whole = encoded(NOISE, "JPEG", progressive=progressive)
    assert np.array_equal(decode_photo(whole[:-missing], LIMITS), decode_photo(whole, LIMITS))


@pytest.mark.parametrize("photo_format", ["JPEG", "PNG", "WEBP", "BMP", "AVIF"])
@pytest.mark.parametrize("junk", [b"\r\n", b"\n\n \t", b"\xef\xbb\xbf"])
def test_white_space_in_front_is_left_out(junk: bytes, photo_format: str) -> None:
    if junk.startswith(b"\xef") and photo_format == "BMP":
        return  # two letters behind a mark of text are not evidence enough
    content = encoded(NOISE, photo_format)
    assert np.array_equal(decode_photo(junk + content, LIMITS), decode_photo(content, LIMITS))
    assert original_size(junk + content, LIMITS) == (200, 200)


def test_the_headers_of_an_mjpeg_part_are_left_out_and_bounded() -> None:
    content = encoded(NOISE, "JPEG")
    part = MJPEG + content + b"\r\n--frame\r\n"
    assert np.array_equal(decode_photo(part, LIMITS), decode_photo(content, LIMITS))
    unended = MJPEG + content[:-2] + b"\r\n--frame--\r\n"
    assert np.array_equal(decode_photo(unended, LIMITS), decode_photo(content, LIMITS))
    with pytest.raises(UnsupportedPhotoTypeError):
        decode_photo(b" " * 1_025 + content, LIMITS)
    with pytest.raises(UnsupportedPhotoTypeError):
        decode_photo(b"\x00\x01binary" + content, LIMITS)


def test_a_frame_without_huffman_tables_is_used() -> None:
    """AVI's motion JPEG leaves the standard's own tables out."""
    content = encoded(NOISE, "JPEG")
    without = bytearray(content[:2])
    position = 2
    while content[position + 1] != 0xDA:
        (length,) = struct.unpack_from(">H", content, position + 2)
        if content[position + 1] != 0xC4:
            without += content[position : position + 2 + length]
        position += 2 + length
    assert np.array_equal(
        decode_photo(bytes(without) + content[position:], LIMITS), decode_photo(content, LIMITS)
    )


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_samples_of_fewer_bits_in_sixteen_are_stretched(bits: int, channels: int) -> None:
    light = NOISE.astype(np.int64)
    light[:4, :4] = 255
    pixels = (light[..., :1] if channels < 3 else light) * ((1 << bits) - 1) // 255
    if channels in (2, 4):
        opaque = np.full((*pixels.shape[:2], 1), 65_535)
        pixels = np.concatenate([pixels, opaque], axis=2)
    content = deep_png(pixels.astype(np.uint16))
    expected = NOISE if channels > 2 else np.repeat(NOISE[..., :1], 3, axis=2)
    assert apart(decode_photo(content, LIMITS), expected) < 1.5


def test_a_hot_pixel_does_not_keep_the_picture_dark() -> None:
    pixels = NOISE[..., 0].astype(np.uint16) << 4
    pixels[50, 50] = 65_535
    assert apart(decode_photo(deep_png(pixels), LIMITS)[..., 0], NOISE[..., 0]) < 9


@pytest.mark.parametrize("photo_format", ["PNG", "WEBP", "AVIF", "BMP"])
def test_alpha_that_is_zero_everywhere_means_nothing(photo_format: str) -> None:
    layered = np.dstack([NOISE, np.zeros(NOISE.shape[:2], np.uint8)])
    options = {"lossless": True, "exact": True} if photo_format == "WEBP" else {}
    assert apart(decode_photo(encoded(layered, photo_format, **options), LIMITS), NOISE) < 3


def test_deep_alpha_that_is_zero_everywhere_means_nothing_too() -> None:
    deep = np.dstack([NOISE.astype(np.uint16) * 257, np.zeros(NOISE.shape[:2], np.uint16)])
    assert apart(decode_photo(deep_png(deep), LIMITS), NOISE) < 1


def test_half_transparent_colours_are_mixed_with_white() -> None:
    layered = np.dstack([NOISE, np.full(NOISE.shape[:2], 128, np.uint8)])
    mixed = np.round(NOISE * (128 / 255) + 255 * (127 / 255)).astype(np.uint8)
    assert apart(decode_photo(encoded(layered, "PNG"), LIMITS), mixed) <= 1


@pytest.mark.parametrize("name", ["baseline", "progressive", "restarts", "two scans lost"])
@pytest.mark.parametrize("ending", [b"", EOI])
def test_nothing_half_grey_is_ever_used(name: str, ending: bytes) -> None:
    """A broken upload, or a proxy that ends what it lost with a proper marker."""
    every: dict[str, dict[str, bool | int]] = {
        "baseline": {},
        "progressive": {"progressive": True},
        "restarts": {"restart_marker_rows": 1},
        "two scans lost": {"progressive": True},
    }
    content = encoded(NOISE, "JPEG", **every[name])
    end = content.rindex(b"\xff\xda") if name == "two scans lost" else len(content) * 2 // 3
    with pytest.raises(PhotoCutError) as caught:
        decode_photo(content[:end] + ending, LIMITS)
    assert "again" in caught.value.hint


def test_a_jpeg_that_lost_its_middle_is_not_used() -> None:
    content = encoded(NOISE, "JPEG", restart_marker_rows=1)
    middle = len(content) // 2
    with pytest.raises((PhotoCutError, UndecodablePhotoError)):
        decode_photo(content[:middle] + content[middle + 400 :], LIMITS)


@pytest.mark.parametrize("photo_format", ["PNG", "WEBP", "BMP", "AVIF", "HEIC", "deep PNG", "runs"])
@pytest.mark.parametrize("kept", [0.2, 0.5, 0.9, 0.98])
def test_a_cut_file_of_any_kind_is_called_cut(photo_format: str, kept: float) -> None:
    made = {
        "deep PNG": lambda: deep_png(NOISE.astype(np.uint16) * 257),
        "HEIC": lambda: HEIC,
        "runs": lambda: run_length_bmp(runs_of(NOISE[..., 0] // 16), 200, 200, smooth_noise(16)[0]),
    }
    content = made.get(photo_format, lambda: encoded(NOISE, photo_format))()
    with pytest.raises(PhotoCutError):
        decode_photo(content[: int(len(content) * kept)], LIMITS)


def test_a_png_whose_pixels_are_all_there_is_used() -> None:
    content = encoded(NOISE, "PNG")
    for missing in (4, 12, 14, 16):  # the end chunk, and the last checksum
        assert np.array_equal(decode_photo(content[:-missing], LIMITS), NOISE)
    assert np.array_equal(decode_photo(encoded(NOISE[:, :199], "BMP")[:-3], LIMITS), NOISE[:, :199])


def test_a_webp_may_lose_its_metadata() -> None:
    content = extended_webp(encoded(NOISE, "WEBP"), riff_chunk(b"EXIF", bytes(500)), flags=8)
    assert decode_photo(content[:-300], LIMITS).shape == (200, 200, 3)


def test_orientation_is_read_where_editors_and_converters_put_it() -> None:
    xmp = b'<rdf:Description tiff:Orientation="6"/>'
    jpeg = behind_start(
        encoded(quarters(), "JPEG"), segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp)
    )
    inside = chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp)
    exif = Image.Exif()
    exif[0x0112] = 6
    raw = exif.tobytes()
    profile = b"\nexif\n%8d\n" % len(raw) + raw.hex().encode()
    converted = chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(profile))
    rows = bytes(48 * (1 + 64 * 3))
    for content in (
        jpeg,
        png(64, 48, 8, 2, rows, inside),
        png(64, 48, 8, 2, rows, converted),
        extended_webp(encoded(quarters(), "WEBP"), riff_chunk(b"XMP ", xmp)),
    ):
        assert original_size(content, LIMITS) == (48, 64)
        assert decode_photo(content, LIMITS).shape == (64, 48, 3)


def test_metadata_that_unpacks_without_end_is_not_unpacked() -> None:
    bomb = zlib.compress(bytes(30_000_000), 1)
    between = (
        chunk(b"iCCP", b"bomb\0\0" + bomb)
        + chunk(b"zTXt", b"Raw profile type exif\0\0" + bomb)
        + chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + bomb)
    )
    content = png(64, 48, 8, 2, bytes(48 * (1 + 64 * 3)), between)
    assert decode_photo(content, LIMITS).shape == (48, 64, 3)


def test_runs_of_a_bmp_become_its_colours() -> None:
    image = Image.fromarray(NOISE).quantize(16)
    palette = np.asarray((image.getpalette() or [])[:48], np.uint8).reshape(-1, 3)
    content = run_length_bmp(runs_of(np.asarray(image)), 200, 200, palette)
    assert np.array_equal(decode_photo(content, LIMITS), np.asarray(image.convert("RGB")))


def test_heic_and_avif_are_decoded_and_told_apart_from_films() -> None:
    picture = decode_photo(HEIC, LIMITS)
    assert (picture.shape[1], picture.shape[0]) == original_size(HEIC, LIMITS) == (512, 288)
    content = encoded(NOISE, "AVIF", speed=10, quality=90)
    assert apart(decode_photo(content, LIMITS), NOISE) < 4
    film = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(90)
    with pytest.raises(UnsupportedPhotoTypeError, match="JPEG, PNG, WebP, BMP, HEIC or AVIF"):
        sniff_format(film)


@pytest.mark.parametrize("value", range(1, 9))
def test_an_avif_is_turned_as_its_container_says(value: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = value
    content = encoded(quarters(), "AVIF", speed=10, quality=95, exif=exif.tobytes())
    with Image.open(BytesIO(content)) as read:
        turned = read.getexif().get(0x0112, 1)
        expected = np.asarray(
            read.convert("RGB")
            if turned == 1
            else read.convert("RGB").transpose(TO_UPRIGHT[turned])
        )
    assert apart(decode_photo(content, LIMITS), expected) < 2
    assert original_size(content, LIMITS) == (expected.shape[1], expected.shape[0])


TO_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def test_video_coded_pictures_have_a_limit_of_their_own() -> None:
    limits = DecodeLimits(max_pixels=512 * 288 * 3)
    with pytest.raises(PhotoTooManyPixelsError, match="512 x 288"):
        decode_photo(HEIC, limits)
    assert decode_photo(HEIC, DecodeLimits(max_pixels=512 * 288 * 16 // 5 + 1)).size


@pytest.mark.parametrize("photo_format", ["HEIC", "AVIF"])
def test_a_container_with_any_byte_changed_is_a_photo_or_a_photo_error(photo_format: str) -> None:
    """A reference to an item that is nowhere, or a box of no bytes, was an error of ours."""
    content = HEIC if photo_format == "HEIC" else encoded(NOISE, "AVIF", speed=10)
    end = content.index(b"mdat")
    rng = np.random.default_rng(14)
    refused = 0
    for place in rng.integers(0, end, 600):
        changed = bytearray(content)
        changed[place] ^= int(rng.integers(1, 256))
        try:
            examine_photo(bytes(changed), LIMITS)
        except PhotoError:
            refused += 1
    assert 50 < refused < 600


def test_a_damaged_png_is_refused_before_libpng_writes_about_it(
    capfd: pytest.CaptureFixture[str],
) -> None:
    content = bytearray(encoded(NOISE, "PNG"))
    content[len(content) // 2] ^= 1
    with pytest.raises(UndecodablePhotoError, match="damaged"):
        decode_photo(bytes(content), LIMITS)
    assert not capfd.readouterr().err


@pytest.mark.parametrize("photo_format", ["HEIC", "AVIF"])
def test_a_container_that_lies_about_its_picture_is_refused_unseen(photo_format: str) -> None:
    """Ten million pixels behind a header of a hundred would be decoded before anybody counts."""
    content = HEIC if photo_format == "HEIC" else encoded(NOISE, "AVIF", speed=10)
    place = content.index(b"ispe") + 8
    small = content[:place] + struct.pack(">II", 64, 64) + content[place + 8 :]
    with pytest.raises(UndecodablePhotoError, match="larger than the file says"):
        decode_photo(small, LIMITS)


def test_orientation_and_reduction_go_together() -> None:
    exif = Image.Exif()
    exif[0x0112] = 8
    for photo_format in ("JPEG", "PNG", "WEBP"):
        content = encoded(quarters(1200, 900), photo_format, exif=exif.tobytes())
        picture = decode_photo(content, DecodeLimits(max_side=400))
        height, width = picture.shape[:2]
        assert original_size(content, DecodeLimits(max_side=400)) == (900, 1200)
        assert height * 3 == width * 4
        expected = np.ascontiguousarray(np.rot90(quarters(height, width), 1))
        assert apart(picture, expected) < 4
