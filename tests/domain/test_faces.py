from __future__ import annotations

import dataclasses

import pytest

from app.domain import photo_errors
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
    clipped_shadows=0.0,
    clipped_highlights=0.0,
    contrast_to_noise=30.0,
    inside_share=1.0,
    proportion=1.0,
)


def test_a_good_face_passes_both_limits() -> None:
    require_quality(GOOD, ENROLLMENT_LIMITS)
    require_quality(GOOD, VERIFICATION_LIMITS)


@pytest.mark.parametrize(
    ("measure", "value", "error"),
    [
        ("size_pixels", 5.0, photo_errors.FaceTooSmallError),
        ("sharpness", 0.0, photo_errors.FaceBlurredError),
        ("clipped_shadows", 0.7, photo_errors.FaceTooDarkError),
        ("contrast_to_noise", 1.0, photo_errors.FaceTooNoisyError),
        ("clipped_highlights", 0.7, photo_errors.FaceTooBrightError),
        ("yaw_degrees", -85.0, photo_errors.FaceTurnedError),
        ("yaw_degrees", 85.0, photo_errors.FaceTurnedError),
        ("pitch_degrees", 80.0, photo_errors.FaceTurnedError),
        ("inside_share", 0.5, photo_errors.FaceCutOffError),
        ("proportion", 0.7, photo_errors.FaceDistortedError),
        ("proportion", 1.5, photo_errors.FaceDistortedError),
        ("proportion", float("inf"), photo_errors.FaceDistortedError),
        ("proportion", 0.0, photo_errors.FaceDistortedError),
    ],
)
def test_each_fault_has_its_own_error(
    measure: str, value: float, error: type[photo_errors.PhotoError]
) -> None:
    face = dataclasses.replace(GOOD, **{measure: value})
    with pytest.raises(error, match=r"\d"):
        require_quality(face, ENROLLMENT_LIMITS)


@pytest.mark.parametrize("brightness", [1.0, 39.0, 226.0, 254.0])
def test_nobody_is_refused_for_how_dark_or_light_a_face_is(brightness: float) -> None:
    require_quality(dataclasses.replace(GOOD, brightness=brightness), ENROLLMENT_LIMITS)


def test_what_was_not_measured_refuses_nobody() -> None:
    stored = dataclasses.replace(
        GOOD,
        clipped_shadows=None,
        clipped_highlights=None,
        contrast_to_noise=None,
        inside_share=None,
        proportion=None,
    )
    require_quality(stored, ENROLLMENT_LIMITS)


def test_verification_is_never_stricter_than_enrollment() -> None:
    assert VERIFICATION_LIMITS.min_size_pixels <= ENROLLMENT_LIMITS.min_size_pixels
    assert VERIFICATION_LIMITS.min_sharpness <= ENROLLMENT_LIMITS.min_sharpness
    assert VERIFICATION_LIMITS.max_clipped_shadows >= ENROLLMENT_LIMITS.max_clipped_shadows
    assert VERIFICATION_LIMITS.max_clipped_highlights >= ENROLLMENT_LIMITS.max_clipped_highlights
    assert VERIFICATION_LIMITS.min_contrast_to_noise <= ENROLLMENT_LIMITS.min_contrast_to_noise
    assert VERIFICATION_LIMITS.max_yaw_degrees >= ENROLLMENT_LIMITS.max_yaw_degrees
    assert VERIFICATION_LIMITS.max_pitch_degrees >= ENROLLMENT_LIMITS.max_pitch_degrees
    assert VERIFICATION_LIMITS.min_inside_share <= ENROLLMENT_LIMITS.min_inside_share
    assert VERIFICATION_LIMITS.min_proportion <= ENROLLMENT_LIMITS.min_proportion
    assert VERIFICATION_LIMITS.max_proportion >= ENROLLMENT_LIMITS.max_proportion
