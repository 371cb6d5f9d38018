"""Where a face's five landmarks must lie, and the similarity transform that takes them there."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

FACE_CROP_SIZE = 112

#: Left eye, right eye, nose, left and right mouth corner *as seen in the image*, in pixels of the
#: 112 x 112 crop: the template published with ArcFace (Deng et al., CVPR 2019).
ARCFACE_TEMPLATE: FloatArray = np.array(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ]
)
ARCFACE_TEMPLATE_ID = "arcface-112"


def similarity_transform(source: FloatArray, target: FloatArray) -> FloatArray:
    """Return the 2 x 3 similarity matrix that takes ``source`` nearest to ``target``.

    Least squares over rotation, uniform scale and shift, without reflection (Umeyama,
    "Least-squares estimation of transformation parameters between two point patterns", TPAMI 1991).

    Both arguments are ``(points, 2)`` in pixels. Raises ``ValueError`` where the source points
    coincide, for then no scale is defined.
    """
    source_mean, target_mean = source.mean(axis=0), target.mean(axis=0)
    source_centred, target_centred = source - source_mean, target - target_mean
    variance = float((source_centred**2).sum() / len(source))
    if not np.isfinite(variance) or variance < 1e-9:
        raise ValueError("the source points coincide")
    covariance = target_centred.T @ source_centred / len(source)
    left, singular, right = np.linalg.svd(covariance)
    signs = np.array([1.0, np.sign(np.linalg.det(left) * np.linalg.det(right)) or 1.0])
    rotation = left @ np.diag(signs) @ right
    scale = float((singular * signs).sum()) / variance
    linear = scale * rotation
    shift = target_mean - linear @ source_mean
    return np.hstack([linear, shift[:, None]])
