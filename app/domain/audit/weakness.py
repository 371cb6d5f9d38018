"""Enrollments that hang on one photo, or on no good one."""

from __future__ import annotations

import dataclasses

from app.domain.audit.gallery import AuditGallery
from app.domain.audit.result import WeakEnrollment, Weakness
from app.domain.faces import FaceQuality, QualityLimits


def good_photo_limits(required: QualityLimits) -> QualityLimits:
    """Return what a photo needs to carry an enrollment, from what is ``required`` of any.

    Twice the size, half as much sharpness again and three quarters of the turn. One such photo is
    enough. Nothing of its brightness: what enrollment took has its tones, and a dark face is no
    sign of a weak enrollment.
    """
    return dataclasses.replace(
        required,
        min_size_pixels=2.0 * required.min_size_pixels,
        min_sharpness=1.5 * required.min_sharpness,
        max_yaw_degrees=0.75 * required.max_yaw_degrees,
        max_pitch_degrees=0.75 * required.max_pitch_degrees,
    )


def list_weak(gallery: AuditGallery, limits: QualityLimits) -> tuple[WeakEnrollment, ...]:
    """Return the people of one photo, and those without a photo within ``limits``."""
    counts = gallery.photo_counts.tolist()
    ailments: list[set[Weakness] | None] = [set() for _ in counts]  # none: a good photo was met
    for owner, quality in zip(gallery.owners.tolist(), gallery.qualities, strict=True):
        ailing, found = ailments[owner], _weaknesses(quality, limits)
        ailments[owner] = ailing | found if ailing is not None and found else None
    weak = []
    for employee_id, count, ailing in zip(gallery.employee_ids, counts, ailments, strict=True):
        reasons = {Weakness.ONE_PHOTO} if count == 1 else set()
        reasons |= ailing or set()
        if reasons:
            ordered = tuple(reason for reason in Weakness if reason in reasons)
            weak.append(WeakEnrollment(employee_id, count, ordered))
    return tuple(sorted(weak, key=lambda one: -len(one.weaknesses)))


def _weaknesses(quality: FaceQuality, limits: QualityLimits) -> set[Weakness]:
    turned = (
        abs(quality.yaw_degrees) > limits.max_yaw_degrees
        or abs(quality.pitch_degrees) > limits.max_pitch_degrees
    )
    found = {
        Weakness.SMALL: quality.size_pixels < limits.min_size_pixels,
        Weakness.BLURRED: quality.sharpness < limits.min_sharpness,
        Weakness.TURNED: turned,
    }
    return {weakness for weakness, present in found.items() if present}
