"""How far faces on aligned crops are turned, by the detector that the service has."""

from __future__ import annotations

import cv2
import numpy as np

from app.domain.faces import Detection
from app.vision.detector import FaceDetector
from app.vision.quality import pose_degrees
from app.vision.weights import read_detector_weights
from training.data.crops import CROP_SIZE, CropSet
from training.foundation.arrays import ByteImage, FloatArray

#: A face that fills the picture lacks surroundings, and the detector wants some.
BORDER = CROP_SIZE // 2
_GREY = (128, 128, 128)


class CropDetector:
    """Finds the face on an aligned crop again, by the detector that the service has."""

    def __init__(self) -> None:
        self._detector = FaceDetector(read_detector_weights())

    def find(self, image: ByteImage) -> Detection | None:
        """Return the largest face of a crop ``(3, 128, 128)``, None where none is found.

        What lies outside the photograph, exact zeros, is shown grey as the border is.
        """
        inside = (image.max(axis=0) > 0)[..., None]
        crop = np.where(inside, image.transpose(1, 2, 0), np.uint8(_GREY[0]))
        picture = cv2.copyMakeBorder(
            np.ascontiguousarray(crop), *(BORDER,) * 4, cv2.BORDER_CONSTANT, value=_GREY
        ).astype(np.uint8)
        faces = self._detector.detect(picture)
        return faces[0] if faces else None


def measured_yaw(crops: CropSet) -> FloatArray:
    """Return the yaw of each crop's largest face in degrees, ``(N,)``; NaN where none is found.

    As the service measures it, from five landmarks: rough, and too small for faces turned far.
    """
    detector = CropDetector()
    found = np.full(len(crops), np.nan)
    for row, image in enumerate(crops.images.numpy()):
        face = detector.find(image)
        if face is not None:
            found[row] = pose_degrees(face.landmarks)[0]
    return found
