"""Landmarks of heads that turn and of pictures that are held up, as a camera would see them.

Lengths are in distances between the eyes (about 63 mm), angles in radians. The camera looks along
the third axis and x grows to the image's right, y down.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.foundation.arrays import FloatArray


@dataclass(frozen=True)
class Holding:
    """How something stands before the camera: turns in radians, ``distance`` in eye distances."""

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    distance: float = 10.0
    shift: tuple[float, float] = (0.0, 0.0)


def made_head(random: np.random.Generator) -> FloatArray:
    """Return the five landmarks ``(5, 3)`` of a head of its own, towards the camera negative.

    Medians as in ``app.vision.quality``: nose 0.41 before the plane of eyes and mouth, face height
    1.01, nose at 0.575 of it. The scatter, a tenth or so of each, is an assumption: heads differ in
    every measure, mouths are not in the plane of the eyes, and no face is symmetric.
    """
    height = 1.01 * random.normal(1.0, 0.07)
    mouth = 0.41 * random.normal(1.0, 0.08)
    nose_down = height * random.normal(0.575, 0.04)
    mouth_depth = random.normal(0.0, 0.06)
    head = np.array(
        [
            [-0.5, 0.0, 0.0],
            [0.5, 0.0, 0.0],
            [0.0, nose_down, -0.41 * random.normal(1.0, 0.12)],
            [-mouth, height, mouth_depth],
            [mouth, height, mouth_depth],
        ]
    )
    head += random.normal(0.0, 0.012, head.shape)
    centred: FloatArray = head - head.mean(axis=0)
    return centred


def project(points: FloatArray, holding: Holding) -> FloatArray:
    """Return the image ``(N, 2)`` of points ``(N, 3)``, by perspective; 100 px an eye distance."""
    turned = points @ _turn(holding).T
    depth = holding.distance + turned[:, 2]
    flat = (turned[:, :2] + np.asarray(holding.shift)) / depth[:, None]
    image: FloatArray = 100.0 * holding.distance * flat
    return image


def printed(image: FloatArray) -> FloatArray:
    """Return a photograph ``(N, 2)`` of a face as points ``(N, 3)`` of a flat sheet."""
    sheet = np.column_stack([image / 100.0, np.zeros(len(image))])
    centred: FloatArray = sheet - sheet.mean(axis=0)
    return centred


def bent(sheet: FloatArray, radius: float, axis: float) -> FloatArray:
    """Bend a flat sheet ``(N, 3)`` around a cylinder of ``radius``, convex towards the camera.

    ``axis`` is the angle between the cylinder's axis and the vertical.
    """
    cosine, sine = np.cos(axis), np.sin(axis)
    along = sheet[:, 0] * cosine + sheet[:, 1] * sine
    beside = -sheet[:, 0] * sine + sheet[:, 1] * cosine
    round_about = radius * np.sin(along / radius)
    depth = radius * (1 - np.cos(along / radius))
    curved = np.column_stack(
        [round_about * cosine - beside * sine, round_about * sine + beside * cosine, depth]
    )
    centred: FloatArray = curved - curved.mean(axis=0)
    return centred


def _turn(holding: Holding) -> FloatArray:
    """Return the rotation; a positive yaw takes what is in front to the image's right."""
    cy, sy = np.cos(holding.yaw), np.sin(holding.yaw)
    cp, sp = np.cos(holding.pitch), np.sin(holding.pitch)
    cr, sr = np.cos(holding.roll), np.sin(holding.roll)
    yaw = np.array([[cy, 0, -sy], [0, 1, 0], [sy, 0, cy]])
    pitch = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    roll = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    whole: FloatArray = roll @ pitch @ yaw
    return whole
