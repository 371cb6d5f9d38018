"""Merges the many candidates that a detector gives for one face into one measurement."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatRows = npt.NDArray[np.float64]

#: Candidates that overlap this much are one face (intersection over union).
_SAME_FACE_OVERLAP = 0.3


def merge_candidates(rows: FloatRows, min_score: float) -> FloatRows:
    """Return one row ``(N, 15)`` a face, best score first.

    Non-maximum suppression as usual, but box and landmarks are the score-weighted mean of all
    candidates of the face instead of the best one's (Bazarevsky et al., "BlazeFace", 2019, section
    4): neighbouring cells measure the same face, and their mean scatters less than any of them.
    """
    rows = rows[rows[:, 14] >= min_score]
    rows = rows[np.argsort(-rows[:, 14], kind="stable")]
    merged = []
    while len(rows):
        same = overlaps(rows[0], rows) > _SAME_FACE_OVERLAP
        same[0] = True
        face = np.average(rows[same], axis=0, weights=rows[same, 14])
        face[14] = rows[0, 14]
        merged.append(face)
        rows = rows[~same]
    return np.stack(merged) if merged else np.zeros((0, 15))


def overlaps(box: npt.NDArray[np.float64], rows: FloatRows) -> npt.NDArray[np.float64]:
    """Return the intersection over union of one box with each row's box (x, y, width, height)."""
    low = np.maximum(box[:2], rows[:, :2])
    high = np.minimum(box[:2] + box[2:4], rows[:, :2] + rows[:, 2:4])
    common = np.clip(high - low, 0, None).prod(axis=1)
    union = box[2] * box[3] + rows[:, 2] * rows[:, 3] - common
    shares: npt.NDArray[np.float64] = common / union
    return shares
