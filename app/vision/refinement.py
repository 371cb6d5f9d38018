"""Measures a face's landmarks again, at a size where the detector scatters least."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from app.domain.faces import Picture
from app.vision.alignment import warp
from app.vision.candidates import merge_candidates

FloatArray = npt.NDArray[np.float64]

#: Side of the window that is looked at again, and its side over the face's longer side.
WINDOW_PIXELS = 128
_WINDOW_SHARE = 1.5
#: Another face in the window, or a failure, shows as landmarks that moved this much of the box.
_MAX_MOVE = 0.25
_MIN_SCORE = 0.5
_MIRRORED_ORDER = [1, 0, 2, 4, 3]


def refine_landmarks(
    row: FloatArray, picture: Picture, look: Callable[[Picture], FloatArray]
) -> FloatArray:
    """Return better landmarks ``(10,)`` of the detection ``row`` ``(15,)``, in picture pixels.

    The face is cut out at a fixed size and shown to the detector as it is and mirrored; the mean
    scatters a fifth as much under small shifts and scalings of the photo as the first measurement
    does, and the aligned crop with it. Where the second look fails the first landmarks stay.
    """
    side = max(row[2], row[3]) * _WINDOW_SHARE
    scale = WINDOW_PIXELS / side
    centre = row[:2] + row[2:4] / 2
    shift = (WINDOW_PIXELS - 1) / 2 - centre * scale
    window = warp(picture, np.array([[scale, 0, shift[0]], [0, scale, shift[1]]]), WINDOW_PIXELS)
    seen = [_nearest(look(window)), _mirrored(_nearest(look(_flipped(window))))]
    measured = [(points - shift) / scale for points in seen if points is not None]
    first = row[4:14].reshape(5, 2)
    limit = _MAX_MOVE * min(row[2], row[3])
    trusted = [p for p in measured if np.linalg.norm(p - first, axis=1).mean() <= limit]
    if not trusted:
        return row[4:14]
    return np.asarray(np.mean(trusted, axis=0), dtype=np.float64).ravel()


def _nearest(candidates: FloatArray) -> FloatArray | None:
    """Return the landmarks ``(5, 2)`` of the face in the middle of the window."""
    faces = merge_candidates(candidates, _MIN_SCORE)
    if not len(faces):
        return None
    off = faces[:, :2] + faces[:, 2:4] / 2 - WINDOW_PIXELS / 2
    middle = int(np.argmin(np.linalg.norm(off, axis=1)))
    return np.reshape(faces[middle, 4:14], (5, 2))


def _flipped(window: Picture) -> Picture:
    return np.ascontiguousarray(window[:, ::-1])


def _mirrored(points: FloatArray | None) -> FloatArray | None:
    if points is None:
        return None
    swapped: FloatArray = points[_MIRRORED_ORDER]
    swapped[:, 0] = WINDOW_PIXELS - 1 - swapped[:, 0]
    return swapped
