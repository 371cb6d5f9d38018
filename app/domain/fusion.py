"""Several frames of one scene: how much each counts, and whether they can show one person."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np

from app.domain.calibration import Calibration
from app.domain.embeddings import Embedding, centroid, similarity
from app.domain.faces import FaceQuality

MAX_FRAMES = 5

#: A face of the crop's own side loses nothing; a smaller one was enlarged.
_FULL_SIZE_PIXELS = 112.0
#: The sharpness at which a frame counts half of one that is perfectly sharp.
_HALF_SHARPNESS = 100.0


def frame_weight(quality: FaceQuality) -> float:
    """Return how much a frame counts among others of its scene, above 0 and at most 1.

    The product of what each measure leaves of a good frame: pixels, sharpness, a look towards the
    camera, the detector's confidence, and how far it is from what the model cannot read, where the
    model tells. Only ratios between frames of one scene matter.
    """
    size = min(1.0, quality.size_pixels / _FULL_SIZE_PIXELS)
    sharpness = quality.sharpness / (quality.sharpness + _HALF_SHARPNESS)
    turned = math.hypot(quality.yaw_degrees, quality.pitch_degrees)
    towards = math.cos(math.radians(min(turned, 80.0)))
    readable = 1.0 if quality.recognisability is None else quality.recognisability
    return max(1e-3, size * sharpness * towards * quality.detector_score * readable)


def weakest_link(embeddings: Sequence[Embedding], calibration: Calibration) -> float:
    """Return the least log-likelihood ratio, one person over two, of all ways to part the frames.

    Every partition in two is tried (15 for five frames), each part as its unweighted mean
    direction: below zero, some part is better explained by another person than by the same one. The
    line is that for as many enrolled photos as the larger part has frames and as many probe frames
    as the smaller. Infinite for fewer than two frames. Frames of one scene resemble each other more
    than the photos of different days on which the lines are fitted, so that this errs towards one
    person.
    """
    count = len(embeddings)
    ratios = [math.inf]
    for part in _smaller_parts(count):
        inside = [embeddings[position] for position in part]
        outside = [embeddings[position] for position in range(count) if position not in part]
        score = similarity(centroid(inside), centroid(outside))
        (ratio,) = calibration.log_likelihood_ratios(
            np.asarray([score]), np.asarray([len(outside)]), len(inside)
        )
        ratios.append(float(ratio))
    return min(ratios)


def _smaller_parts(count: int) -> list[tuple[int, ...]]:
    """Return each partition of ``count`` frames in two, once, by the positions of one part."""
    return [
        part
        for size in range(1, count // 2 + 1)
        for part in combinations(range(count), size)
        if 2 * size < count or 0 in part
    ]
