from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.faces import Box, Detection
from app.vision.quality import measure_quality, pose_degrees
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


def test_a_blurred_or_enlarged_face_is_less_sharp() -> None:
    crop = face_crop()
    small = crop[:, ::4, ::4]
    enlarged = np.repeat(np.repeat(small, 4, axis=1), 4, axis=2)
    kernel = np.ones(9) / 9
    blurred = np.apply_along_axis(lambda line: np.convolve(line, kernel, "same"), 2, enlarged)
    sharp = quality_of(crop)[1]
    assert quality_of(blurred.astype(np.uint8))[1] < sharp / 2
    assert quality_of(np.full((3, 112, 112), 90, np.uint8))[1] == 0
