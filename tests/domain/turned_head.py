"""Five landmarks of a head and of pictures of it, as a camera sees them when they are turned.

Lengths are in distances between the eyes; x grows to the image's right, y down, z away.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

Points = npt.NDArray[np.float64]

_LANDMARKS = [
    [-0.49, 0.01, 0.0],
    [0.51, -0.01, 0.0],
    [0.01, 0.56, -0.42],
    [-0.4, 0.99, 0.03],
    [0.42, 1.0, 0.03],
]
HEAD: Points = np.array(_LANDMARKS) - np.mean(_LANDMARKS, axis=0)


def project(
    points: Points, yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0, distance: float = 10.0
) -> Points:
    """Return the image ``(N, 2)`` of ``points`` ``(N, 3)`` by perspective; turns in radians."""
    turn = Rotation.from_euler("ZXY", [roll, pitch, -yaw])
    turned = turn.apply(points)
    image: Points = 100.0 * distance * turned[:, :2] / (distance + turned[:, 2:])
    return image


def printed(image: Points) -> Points:
    """Return a photograph ``(N, 2)`` as points ``(N, 3)`` of a flat sheet."""
    sheet = np.column_stack([image / 100.0, np.zeros(len(image))])
    centred: Points = sheet - sheet.mean(axis=0)
    return centred


def bent(sheet: Points, radius: float) -> Points:
    """Bend a sheet around a vertical cylinder, convex towards the camera."""
    angle = sheet[:, 0] / radius
    curved = np.column_stack([radius * np.sin(angle), sheet[:, 1], radius * (1 - np.cos(angle))])
    centred: Points = curved - curved.mean(axis=0)
    return centred
