from __future__ import annotations

import dataclasses
import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.faces import (
    ENROLLMENT_LIMITS,
    VERIFICATION_LIMITS,
    Box,
    Detection,
    require_quality,
)
from app.domain.photo_errors import FaceTooBrightError, FaceTooDarkError
from app.vision.quality import (
    crop_luma,
    measure_quality,
    measure_tones,
    pose_degrees,
    proportion,
)
from tests.vision.pictures import Pixels, smooth_noise

# A rigid face in eye distances: eyes and mouth in a plane, the nose before it (z to the viewer).
HEAD = np.array(
    [
        [-0.5, 0.0, 0.0],
        [0.5, 0.0, 0.0],
        [0.0, 0.575 * 1.01, 0.41],
        [-0.38, 1.01, 0.0],
        [0.38, 1.01, 0.0],
    ]
)


def turned(
    yaw: float, pitch: float, roll: float, scale: float = 60.0
) -> tuple[tuple[float, float], ...]:
    """Return the five points of ``HEAD`` turned by degrees and seen from afar."""
    y, p, r = np.radians([yaw, pitch, roll])
    around_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    around_x = np.array([[1, 0, 0], [0, np.cos(p), np.sin(p)], [0, -np.sin(p), np.cos(p)]])
    around_z = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    seen = HEAD @ (around_z @ around_y @ around_x).T * scale + 200
    return tuple((float(x), float(y)) for x, y, _ in seen)


@settings(deadline=None)
@given(st.floats(-70, 70), st.floats(-170, 170), st.floats(5, 400))
def test_yaw_and_roll_are_recovered_at_any_size(yaw: float, roll: float, scale: float) -> None:
    measured = pose_degrees(turned(yaw, 0, roll, scale))
    assert measured == pytest.approx((yaw, 0, roll), abs=0.1)


@settings(deadline=None)
@given(st.floats(-50, 50), st.floats(-170, 170))
def test_pitch_and_roll_are_recovered(pitch: float, roll: float) -> None:
    assert pose_degrees(turned(0, pitch, roll)) == pytest.approx((0, pitch, roll), abs=0.1)


@settings(deadline=None)
@given(st.floats(-50, 50), st.floats(-35, 35))
def test_yaw_and_pitch_together_are_roughly_right(yaw: float, pitch: float) -> None:
    measured = pose_degrees(turned(yaw, pitch, 0))
    assert measured[0] == pytest.approx(yaw, abs=12)
    assert measured[1] == pytest.approx(pitch, abs=22)


def test_coinciding_landmarks_count_as_wholly_turned() -> None:
    assert pose_degrees(((5.0, 5.0),) * 5)[0] == 90.0


@settings(deadline=None)
@given(st.floats(-60, 60), st.floats(-170, 170), st.floats(5, 400))
def test_a_turned_face_keeps_its_proportion(yaw: float, roll: float, scale: float) -> None:
    face = Detection(Box(0, 0, 75, 100), turned(yaw, 0, roll, scale), 0.9, aspect=0.75)
    assert proportion(face) == pytest.approx(1, abs=0.01)


@settings(deadline=None)
@given(st.floats(0.3, 3), st.floats(-60, 60))
def test_a_stretched_face_has_the_proportion_it_was_stretched_to(down: float, yaw: float) -> None:
    points = tuple((x, y * down) for x, y in turned(yaw, 0, 0))
    face = Detection(Box(0, 0, 75, 100 * down), points, 0.9, aspect=0.75 / down)
    assert proportion(face) == pytest.approx(down, rel=0.01)


def test_the_proportion_of_landmarks_that_are_no_face_is_out_of_bounds() -> None:
    for points in (((5.0, 5.0),) * 5, turned(0, 180, 0)):
        measured = proportion(Detection(Box(0, 0, 10, 10), points, 0.9))
        assert not VERIFICATION_LIMITS.min_proportion <= measured <= 10


def quality_of(crop: Pixels, width: float = 80.0, height: float = 100.0) -> tuple[float, ...]:
    detection = Detection(Box(0, 0, width, height), turned(0, 0, 0), 0.9)
    quality = measure_quality(crop, detection)
    assert quality.detector_score == 0.9
    return quality.size_pixels, quality.sharpness, quality.brightness


def face_crop(seed: int = 0) -> Pixels:
    return np.ascontiguousarray(smooth_noise(112, seed, 40).transpose(2, 0, 1))


def test_size_is_the_shorter_side_of_the_box() -> None:
    assert quality_of(face_crop(), 80, 100)[0] == 80
    assert quality_of(face_crop(), 90, 70)[0] == 70


def test_brightness_is_of_the_middle_only() -> None:
    crop = np.full((3, 112, 112), 255, np.uint8)
    crop[:, 30:100, 25:90] = 100
    assert quality_of(crop)[2] == 100


def tones_of(crop: Pixels) -> tuple[float | None, float | None, float | None]:
    quality = measure_quality(crop, Detection(Box(0, 0, 80, 100), turned(0, 0, 0), 0.9))
    return quality.clipped_shadows, quality.clipped_highlights, quality.contrast_to_noise


def passes(crop: Pixels) -> bool:
    """Whether the exposure of a crop is good enough to enroll; sharpness and size are not asked."""
    quality = measure_quality(crop, Detection(Box(0, 0, 80, 100), turned(0, 0, 0), 0.9))
    try:
        require_quality(dataclasses.replace(quality, sharpness=500.0), ENROLLMENT_LIMITS)
    except (FaceTooDarkError, FaceTooBrightError):
        return False
    return True


def exposed(crop: Pixels, gain: float, noise: float = 0.0) -> Pixels:
    random = np.random.default_rng(1)
    taken = crop.astype(np.float64) * gain + noise * random.normal(size=crop.shape)
    pixels: Pixels = np.clip(taken.round(), 0, 255).astype(np.uint8)
    return pixels


@pytest.mark.parametrize("gain", [0.8, 0.4, 0.25, 0.2])
def test_a_dark_face_whose_tones_are_there_is_taken(gain: float) -> None:
    """Brightness says nothing: dark skin in good light is as dark as pale skin in little."""
    dark = exposed(face_crop(), gain)
    quality = measure_quality(dark, Detection(Box(0, 0, 80, 100), turned(0, 0, 0), 0.9))
    assert quality.brightness < 128 * gain + 1
    assert quality.sharpness > ENROLLMENT_LIMITS.min_sharpness  # nor is it called blurred
    assert passes(dark)
    ratio = tones_of(dark)[2]
    whole = tones_of(face_crop())[2]
    assert ratio is not None
    assert whole is not None
    assert ratio > whole / 3  # darkened by itself, a picture loses what rounding takes


@pytest.mark.parametrize(("gain", "noise"), [(0.03, 0.0), (0.15, 8.0), (4.0, 0.0), (50.0, 0.0)])
def test_a_face_whose_tones_are_lost_is_refused(gain: float, noise: float) -> None:
    assert not passes(exposed(face_crop(), gain, noise))


def test_shadow_is_refused_however_bright_the_rest_is() -> None:
    half = face_crop()
    half[:, :, :57] = 3
    shadows, highlights, _ = tones_of(half)
    assert shadows == pytest.approx(25 / 48)
    assert highlights == 0
    assert not passes(half)


@given(
    shade=st.integers(0, 255),
    amplitude=st.floats(0, 127),
    seed=st.integers(0, 99),
)
@settings(max_examples=60, deadline=None)
def test_tones_are_shares_and_a_finite_ratio(shade: int, amplitude: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    crop = np.clip(shade + amplitude * random.normal(size=(3, 112, 112)), 0, 255).astype(np.uint8)
    shadows, highlights, ratio = tones_of(crop)
    assert shadows is not None
    assert highlights is not None
    assert ratio is not None
    assert 0 <= shadows <= 1
    assert 0 <= highlights <= 1
    assert shadows + highlights <= 1
    assert 0 <= ratio < 1e4


def test_little_light_is_no_blur_and_blur_in_little_light_is() -> None:
    coarse = smooth_noise(112, 0, 8)  # keeps its contrast when it is blurred, as a face does

    blurred = cv2.GaussianBlur(coarse, (0, 0), 5.0).astype(np.uint8).transpose(2, 0, 1)
    for gain in (1.0, 0.5, 0.3, 0.15):
        assert quality_of(exposed(face_crop(), gain))[1] > 2 * ENROLLMENT_LIMITS.min_sharpness
        assert quality_of(exposed(blurred, gain))[1] < VERIFICATION_LIMITS.min_sharpness


def test_what_lies_outside_the_photograph_is_no_shadow() -> None:
    luma = crop_luma(face_crop())
    inside = np.ones(luma.shape, np.bool_)
    inside[:, :60] = False
    black = luma.copy()
    black[~inside] = 0
    assert measure_tones(black).clipped_shadows > 0.5
    seen = measure_tones(black, inside)
    assert seen.clipped_shadows == 0
    assert seen.brightness == pytest.approx(float(luma[36:96, 60:80].mean()))
    assert math.isnan(measure_tones(black, np.zeros(luma.shape, np.bool_)).brightness)


def test_a_blurred_or_enlarged_face_is_less_sharp() -> None:
    crop = face_crop()
    small = crop[:, ::4, ::4]
    enlarged = np.repeat(np.repeat(small, 4, axis=1), 4, axis=2)
    blurred = cv2.GaussianBlur(enlarged.transpose(1, 2, 0).copy(), (0, 0), 4.0).transpose(2, 0, 1)
    sharp = quality_of(crop)[1]
    assert quality_of(blurred.astype(np.uint8))[1] < sharp / 2
    assert quality_of(np.full((3, 112, 112), 90, np.uint8))[1] == 0
