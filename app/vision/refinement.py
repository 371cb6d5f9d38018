"""Measures a face again, upright and at a size where the detector scatters least."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.domain.faces import Picture
from app.vision.alignment import warp
from app.vision.candidates import merge_candidates

FloatArray = npt.NDArray[np.float64]
#: Every candidate ``(N, 15)`` that the detector sees in a picture.
Look = Callable[[Picture], FloatArray]

#: Side of the window that is looked at again, and its side over the face's longer side.
WINDOW_PIXELS = 128
_WINDOW_SHARE = 1.5
#: YuNet sees about 40 % of a head's tilt, so twice what it sees is taken back, and then looked
#: again, until what is left is within its scatter.
_TILT_FACTOR = 2.0
#: A face is taken as upright below the first, and once it is turned back at all it is turned until
#: below the second.
_UPRIGHT_RADIANS, _FINELY_UPRIGHT_RADIANS = 0.06, 0.03
_MAX_ADJUSTMENTS = 3
#: Below this score in the window the face may stand at another angle. Chosen by a script that was
#: not kept; `training study odd-pictures` prints what it comes to at each turn.
CLEAR_SCORE = 0.9
_SEARCH_STEP = np.pi / 4
_SEARCH_STEPS = 8
#: Another angle must score higher by this much; the detector is flat within a few degrees.
_CLEARLY_BETTER = 0.02
#: Another face in the window, or a failure, shows as landmarks that moved this much of the box.
_MAX_MOVE = 0.35
_MIN_SCORE = 0.5
_MIRRORED_ORDER = [1, 0, 2, 4, 3]


@dataclass(frozen=True)
class RefinedFace:
    """A detection ``(15,)`` in picture pixels, and the box's width over its height, face upright.

    ``aspect`` is None where the second look failed.
    """

    row: FloatArray
    aspect: float | None


@dataclass(frozen=True)
class _View:
    """The face in the middle of one window, in pixels of the picture.

    ``tilt`` is what is left of it in the window, in radians; ``centre`` and ``size`` are of its box
    in the window, the size in picture pixels.
    """

    angle: float
    points: FloatArray
    centre: FloatArray
    size: FloatArray
    tilt: float
    score: float


def refine_face(
    row: FloatArray, picture: Picture, look: Look, *, upright: float = 0.0, search: bool = False
) -> RefinedFace:
    """Return a better measurement of the detection ``row`` ``(15,)``, in picture pixels.

    The face is cut out upright at a fixed size and shown to the detector as it is and mirrored; the
    mean scatters a fifth as much under small shifts and scalings of the photo as the first
    measurement does, and the aligned crop with it. A face that is not seen clearly so is looked for
    at every eighth of a turn, and taken at the angle where the detector's score is highest; with
    ``search`` any face is. ``upright`` is the angle in radians at which the row was measured.
    Where the second look fails the first measurement stays.
    """
    tilt = turn_between(_tilt(row[4:14].reshape(5, 2)), upright)
    angle = upright + (_TILT_FACTOR * tilt if abs(tilt) > _UPRIGHT_RADIANS else 0.0)
    view = _look_once(row, picture, angle, look)
    if view is not None and not _strayed(row, view, searched=False):
        view = _look_twice(_centred_on(row, view), picture, angle, look)
    searched = False
    if search or view is None or view.score < CLEAR_SCORE:
        found = _best_turn(row, picture, angle, look)
        if found is not None and (view is None or found.score > view.score + _CLEARLY_BETTER):
            row, view, searched = _moved_to(row, found), found, True
    if view is None or _strayed(row, view, searched=searched):
        return RefinedFace(row, None)
    turned = searched or view.angle != upright
    for _ in range(_MAX_ADJUSTMENTS):
        if abs(view.tilt) <= (_FINELY_UPRIGHT_RADIANS if turned else _UPRIGHT_RADIANS):
            break
        turned = True
        again = _look_twice(row, picture, view.angle + _TILT_FACTOR * view.tilt, look)
        if again is None or _strayed(row, again, searched=searched):
            break
        view = again
    refined = row.copy()
    refined[4:14] = view.points.ravel()
    width, height = view.size.tolist()
    return RefinedFace(refined, width / height)


def turn_between(angle: float, other: float) -> float:
    """Return ``angle - other`` in radians, from -pi to pi."""
    return float((angle - other + np.pi) % (2 * np.pi) - np.pi)


def turned_size(sizes: FloatArray, angle: float) -> FloatArray:
    """Return width and height ``(..., 2)`` of boxes at ``angle``; a quarter turn swaps them."""
    share = np.cos(angle) ** 2
    return np.asarray(share * sizes + (1 - share) * sizes[..., ::-1], dtype=np.float64)


def _best_turn(row: FloatArray, picture: Picture, angle: float, look: Look) -> _View | None:
    """Return the clearest view of the face at eight angles, one look each."""
    views = [
        _look_once(row, picture, angle + step * _SEARCH_STEP, look) for step in range(_SEARCH_STEPS)
    ]
    seen = [view for view in views if view is not None and not _strayed(row, view, searched=True)]
    return max(seen, key=lambda view: view.score, default=None)


def _moved_to(row: FloatArray, view: _View) -> FloatArray:
    """Return the detection with box, landmarks and score of a view at another angle.

    The box stays parallel to the picture.
    """
    moved = row.copy()
    size = turned_size(view.size, view.angle)
    moved[:2], moved[2:4] = view.centre - size / 2, size
    moved[4:14], moved[14] = view.points.ravel(), view.score
    return moved


def _centred_on(row: FloatArray, view: _View) -> FloatArray:
    """Return the detection with the box of a view."""
    moved = row.copy()
    size = view.size
    moved[:2], moved[2:4] = view.centre - size / 2, size
    return moved


def _strayed(row: FloatArray, view: _View, *, searched: bool) -> bool:
    """Say whether a view shows another face, or none, by how far the landmarks moved.

    A face at another angle has other landmarks; then their middle tells.
    """
    moved = view.points - row[4:14].reshape(5, 2)
    if searched:
        return bool(np.linalg.norm(moved.mean(axis=0)) > _MAX_MOVE * max(row[2], row[3]))
    return bool(np.linalg.norm(moved, axis=1).mean() > _MAX_MOVE * min(row[2], row[3]))


def _tilt(landmarks: FloatArray) -> float:
    """Return the in-plane turn in radians, clockwise as seen, from eyes and mouth together."""
    right, down = (landmarks[1] - landmarks[0]) + (landmarks[4] - landmarks[3])
    return float(np.arctan2(down, right))


def _window_transform(row: FloatArray, angle: float) -> FloatArray:
    """Return the 2 x 3 matrix from the picture to a window turned back by ``angle``."""
    scale = WINDOW_PIXELS / (max(row[2], row[3]) * _WINDOW_SHARE)
    cosine, sine = np.cos(angle), np.sin(angle)
    linear = scale * np.array([[cosine, sine], [-sine, cosine]])
    centre = row[:2] + row[2:4] / 2
    return np.hstack([linear, ((WINDOW_PIXELS - 1) / 2 - linear @ centre)[:, None]])


def _look_once(row: FloatArray, picture: Picture, angle: float, look: Look) -> _View | None:
    """Return the face in the middle of the window at ``angle``."""
    transform = _window_transform(row, angle)
    return _view(_nearest(look(warp(picture, transform, WINDOW_PIXELS))), transform, angle)


def _look_twice(row: FloatArray, picture: Picture, angle: float, look: Look) -> _View | None:
    """Return the mean of the window at ``angle`` and its mirror image."""
    transform = _window_transform(row, angle)
    window = warp(picture, transform, WINDOW_PIXELS)
    plain = _nearest(look(window))
    mirrored = _nearest(look(np.ascontiguousarray(window[:, ::-1])))
    if mirrored is not None:
        points = mirrored[4:14].reshape(5, 2)[_MIRRORED_ORDER]
        points[:, 0] = WINDOW_PIXELS - 1 - points[:, 0]
        mirrored[0] = WINDOW_PIXELS - mirrored[0] - mirrored[2]
        mirrored[4:14] = points.ravel()
    seen = [face for face in (plain, mirrored) if face is not None]
    return _view(np.mean(seen, axis=0) if seen else None, transform, angle)


def _nearest(candidates: FloatArray) -> FloatArray | None:
    """Return the row ``(15,)`` of the face in the middle of the window."""
    faces = merge_candidates(candidates, _MIN_SCORE)
    if not len(faces):
        return None
    off = faces[:, :2] + faces[:, 2:4] / 2 - WINDOW_PIXELS / 2
    return np.array(faces[int(np.argmin(np.linalg.norm(off, axis=1)))])


def _view(face: FloatArray | None, transform: FloatArray, angle: float) -> _View | None:
    """Return a face of the window in pixels of the picture."""
    if face is None:
        return None
    points = face[4:14].reshape(5, 2)
    back = np.linalg.inv(transform[:, :2])
    return _View(
        angle=angle,
        points=(points - transform[:, 2]) @ back.T,
        centre=(face[:2] + face[2:4] / 2 - transform[:, 2]) @ back.T,
        size=face[2:4] * float(np.hypot(*back[0])),
        tilt=_tilt(points),
        score=float(face[14]),
    )
