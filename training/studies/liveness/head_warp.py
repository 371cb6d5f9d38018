"""A photo of a head turned as a head turns: every pixel has a depth, and moves by it."""

from __future__ import annotations

import cv2
import numpy as np

from app.domain.head_motion import HeadView
from training.foundation.arrays import ByteImage, FloatArray

EYES_MM = 63
#: Half the breadth of a head; its front is taken for an upright cylinder of so much.
HEAD_MM = 76
#: The nose's tip before the plane of eyes and mouth, 0.41 eye distances (``app.vision.quality``),
#: less what it lies before that plane on the cylinder already; and how broad and long a nose is.
NOSE_MM, NOSE_ACROSS_MM, NOSE_UP_MM, NOSE_DOWN_MM = 20.0, 9.0, 20.0, 9.0
#: How far aside of the middle the cylinder is still seen; what is beyond counts as far behind.
SEEN = 0.95
GREY = (128, 128, 128)


def head_depth(shape: tuple[int, int], straight: HeadView) -> FloatArray:
    """Return how far each pixel lies before the nose's foot, in pixels, ``(H, W)``.

    ``straight`` are the landmarks of a frontal face in the picture.
    """
    height, width = shape
    (left, _), (right, _), (nose_x, nose_y), *_mouth = straight.landmarks
    unit = (right - left) / EYES_MM  # pixels in a millimetre
    across = (np.arange(width) - nose_x) / unit
    down = (np.arange(height) - nose_y) / unit
    front = np.sqrt(HEAD_MM**2 - np.clip(across, -SEEN * HEAD_MM, SEEN * HEAD_MM) ** 2) - HEAD_MM
    ridge = np.exp(-0.5 * (across / NOSE_ACROSS_MM) ** 2)
    length = np.where(down < 0, NOSE_UP_MM, NOSE_DOWN_MM)
    tip = NOSE_MM * np.exp(-0.5 * (down / length) ** 2)
    depth: FloatArray = (front[None, :] + tip[:, None] * ridge[None, :]) * unit
    return depth


def turned_head(photo: ByteImage, straight: HeadView, yaw: float) -> ByteImage:
    """Return the head of a frontal photo turned by ``yaw`` radians, seen from far away.

    What the turn hides is hidden; what it would show is not in the photo, and what lies beside it
    is drawn out instead.
    """
    height, width = photo.shape[:2]
    nose = straight.landmarks[2][0]
    source = np.arange(width, dtype=np.float64)
    depth = head_depth((height, width), straight)
    moved = (source - nose)[None, :] * np.cos(yaw) + depth * np.sin(yaw) + nose
    # Along a row pixels must not overtake each other: who would, on the side that is turned away,
    # is behind the one nearer to the camera.
    if yaw >= 0:
        moved = np.maximum.accumulate(moved, axis=1)
    else:
        moved = np.minimum.accumulate(moved[:, ::-1], axis=1)[:, ::-1]
    steps = np.arange(width) * 1e-6  # interpolation wants them to rise
    columns = np.stack([np.interp(source, row + steps, source, -1.0, -1.0) for row in moved])
    rows = np.tile(np.arange(height, dtype=np.float32)[:, None], (1, width))
    turned = cv2.remap(
        photo,
        columns.astype(np.float32),
        rows,
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=GREY,
    )
    return turned.astype(np.uint8, copy=False)
