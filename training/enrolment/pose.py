"""How far faces on aligned crops are turned, by the detector that the service has."""

from __future__ import annotations

import cv2
import numpy as np

from app.vision.detector import FaceDetector
from app.vision.quality import pose_degrees
from app.vision.weights import read_detector_weights
from training.data.crops import CROP_SIZE, CropSet
from training.evaluation.intervals import FloatArray

#: A face that fills the picture lacks surroundings, and the detector wants some.
BORDER = CROP_SIZE // 2
_GREY = (128, 128, 128)


def measured_yaw(crops: CropSet) -> FloatArray:
    """Return the yaw of each crop's largest face in degrees, ``(N,)``; NaN where none is found.

    As the service measures it, from five landmarks: rough, and too small for faces turned far.
    """
    detector = FaceDetector(read_detector_weights())
    found = np.full(len(crops), np.nan)
    for row, image in enumerate(crops.images.numpy()):
        picture = cv2.copyMakeBorder(
            np.ascontiguousarray(image.transpose(1, 2, 0)),
            *(BORDER,) * 4,
            cv2.BORDER_CONSTANT,
            value=_GREY,
        ).astype(np.uint8)
        faces = detector.detect(picture)
        if faces:
            found[row] = pose_degrees(faces[0].landmarks)[0]
    return found
