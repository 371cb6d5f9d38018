"""How a head's five landmarks move when it turns, and how a flat picture's would.

Landmarks are ``(5, 2)`` in pixels: left eye, right eye, nose, left and right mouth corner as seen
in the image. Lengths are in face heights, from between the eyes to between the mouth corners: a
turn to the side leaves that one as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

_CORNERS = [0, 1, 3, 4]
_NOSE = 2
#: How far noses stand before the plane of eyes and mouth, in face heights; 0.41 is the middle.
_NOSE_DEPTHS = np.linspace(0.26, 0.56, 7)
_YAWS = np.radians(np.arange(-80.0, 80.1, 2.0))
_MIN_TURN_DEGREES = 10.0
_PITCHES = np.radians(np.arange(-36.0, 36.1, 3.0))


@dataclass(frozen=True)
class HeadView:
    """A face in one frame; ``yaw_degrees`` as in ``FaceQuality``: positive to the image's right."""

    landmarks: tuple[tuple[float, float], ...]
    yaw_degrees: float


@dataclass(frozen=True)
class HeadFit:
    """The rigid head that best explains two views.

    ``yaw_degrees``: how far it turned between them, which the foreshortening decides. ``residual``:
    root mean square of what is left of the landmarks, in face heights.
    """

    yaw_degrees: float
    residual: float


def nose_parallax(straight: HeadView, turned: HeadView) -> float:
    """Return how far the nose moved against the plane of eyes and mouth, in face heights.

    The homography of the eyes and mouth corners says where the nose of any flat picture would be
    now, however that was moved, tilted or brought close (Hartley and Zisserman, "Multiple View
    Geometry", 2004, section 13.3: plane and parallax). Positive to the image's right. NaN where
    the points span no plane.
    """
    before, after = _points(straight), _points(turned)
    across = (after[1] - after[0]) + (after[4] - after[3])
    height = _face_height(after)
    if height == 0 or not across.any():
        return float("nan")
    try:
        expected = _through_plane(before[_CORNERS], after[_CORNERS], before[_NOSE])
    except np.linalg.LinAlgError:
        return float("nan")
    moved = (after[_NOSE] - expected) / height
    return float(moved @ across / np.linalg.norm(across))


def fit_head(straight: HeadView, turned: HeadView) -> HeadFit:
    """Return the turn of a rigid head between two views, and what it leaves unexplained.

    The head is the straight view's landmarks with the nose at the depth that fits best, seen by
    weak perspective; yaw, pitch and depth are searched on a grid and scale, roll and shift are
    those of least squares (Umeyama, 1991).
    """
    before, after = _points(straight), _points(turned)
    height = _face_height(before)
    scale = _face_height(after)
    if height == 0 or scale == 0:
        return HeadFit(float("nan"), float("inf"))
    flat = (before - before.mean(axis=0)) / height
    target = after[:, 0] + 1j * after[:, 1]
    target = (target - target.mean()) / scale
    depth = np.zeros((len(_NOSE_DEPTHS), 1, 1, 5))
    depth[:, 0, 0, _NOSE] = _NOSE_DEPTHS
    yaw, pitch = _YAWS[:, None, None], _PITCHES[:, None]
    across = flat[:, 0] * np.cos(yaw) + depth * np.sin(yaw)
    towards = depth * np.cos(yaw) - flat[:, 0] * np.sin(yaw)
    down = flat[:, 1] * np.cos(pitch) + towards * np.sin(pitch)
    seen = across + 1j * down
    seen = seen - seen.mean(axis=-1, keepdims=True)
    explained = np.abs((seen.conj() * target).sum(-1)) ** 2 / (np.abs(seen) ** 2).sum(-1)
    best = np.unravel_index(int(explained.argmax()), explained.shape)
    left = max(0.0, float((np.abs(target) ** 2).sum() - explained[best]))
    return HeadFit(float(np.degrees(_YAWS[best[1]])), float(np.sqrt(left / 5)))


def apparent_nose_depth(straight: HeadView, turned: HeadView) -> float:
    """Return how far before the plane of eyes and mouth the nose would have to stand.

    In face heights, for the turn that the foreshortening shows. Near 0.41 for a head, 0 for a flat
    picture and little for a bent one, whose foreshortening runs ahead of its parallax. A turn below
    ten degrees counts as ten, for a small one divides noise by noise. NaN where the points span no
    plane.
    """
    turn = fit_head(straight, turned).yaw_degrees
    sign = -1.0 if turn < 0 else 1.0
    sine = np.sin(np.radians(max(_MIN_TURN_DEGREES, abs(turn))))
    return float(sign * nose_parallax(straight, turned) / sine)


def _points(view: HeadView) -> FloatArray:
    return np.asarray(view.landmarks, dtype=np.float64)


def _face_height(points: FloatArray) -> float:
    return float(np.linalg.norm(points[3:].mean(axis=0) - points[:2].mean(axis=0)))


def _through_plane(sources: FloatArray, targets: FloatArray, point: FloatArray) -> FloatArray:
    """Return where the homography of four points takes another; raises ``LinAlgError``."""
    middle, spread = sources.mean(axis=0), float(sources.std())
    if spread == 0:
        raise np.linalg.LinAlgError("the points coincide")
    x, y = ((sources - middle) / spread).T
    u, v = targets.T
    one, zero = np.ones(4), np.zeros(4)
    rows = np.vstack(
        [
            np.stack([x, y, one, zero, zero, zero, -u * x, -u * y], axis=1),
            np.stack([zero, zero, zero, x, y, one, -v * x, -v * y], axis=1),
        ]
    )
    matrix = np.append(np.linalg.solve(rows, np.concatenate([u, v])), 1.0).reshape(3, 3)
    moved = matrix @ np.append((point - middle) / spread, 1.0)
    if abs(moved[2]) < 1e-9:
        raise np.linalg.LinAlgError("the point goes to infinity")
    plane: FloatArray = moved[:2] / moved[2]
    return plane
