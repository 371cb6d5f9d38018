from __future__ import annotations

import dataclasses

import pytest

from app.domain import errors
from app.domain.faces import (
    ENROLLMENT_LIMITS,
    VERIFICATION_LIMITS,
    FaceQuality,
    require_quality,
)

GOOD = FaceQuality(
    size_pixels=150,
    sharpness=500,
    brightness=120,
    yaw_degrees=0,
    pitch_degrees=0,
    roll_degrees=0,
    detector_score=0.95,
)


def test_a_good_face_passes_both_limits() -> None:
    require_quality(GOOD, ENROLLMENT_LIMITS)
    require_quality(GOOD, VERIFICATION_LIMITS)


@pytest.mark.parametrize(
    ("measure", "value", "error"),
    [
        ("size_pixels", 5.0, errors.FaceTooSmallError),
        ("sharpness", 0.0, errors.FaceBlurredError),
        ("brightness", 2.0, errors.FaceTooDarkError),
        ("brightness", 254.9, errors.FaceTooBrightError),
        ("yaw_degrees", -85.0, errors.FaceTurnedError),
        ("yaw_degrees", 85.0, errors.FaceTurnedError),
        ("pitch_degrees", 80.0, errors.FaceTurnedError),
    ],
)
def test_each_fault_has_its_own_error(
    measure: str, value: float, error: type[errors.PhotoError]
) -> None:
    face = dataclasses.replace(GOOD, **{measure: value})
    with pytest.raises(error, match=r"\d"):
        require_quality(face, ENROLLMENT_LIMITS)


def test_verification_is_never_stricter_than_enrolment() -> None:
    assert VERIFICATION_LIMITS.min_size_pixels <= ENROLLMENT_LIMITS.min_size_pixels
    assert VERIFICATION_LIMITS.min_sharpness <= ENROLLMENT_LIMITS.min_sharpness
    assert VERIFICATION_LIMITS.min_brightness <= ENROLLMENT_LIMITS.min_brightness
    assert VERIFICATION_LIMITS.max_brightness >= ENROLLMENT_LIMITS.max_brightness
    assert VERIFICATION_LIMITS.max_yaw_degrees >= ENROLLMENT_LIMITS.max_yaw_degrees
    assert VERIFICATION_LIMITS.max_pitch_degrees >= ENROLLMENT_LIMITS.max_pitch_degrees
