"""Parents and judges for the tests: the invented people themselves, and a very simple eye."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from app.vision.detector import FaceDetector
from app.vision.reader import FaceVision
from app.vision.weights import read_detector_weights
from training.synthesis.looks import found_crop
from training.synthesis.parents import Parent

FloatArray = npt.NDArray[np.float64]
ByteImage = npt.NDArray[np.uint8]

PEOPLE = Path(__file__).parents[2] / "fixtures" / "people"


def new_vision() -> FaceVision:
    return FaceVision(FaceDetector(read_detector_weights()))


def invented_crops(vision: FaceVision, number: int) -> ByteImage:
    """Return the aligned 128 px crops ``(4, 128, 128, 3)`` of one of the invented people."""
    photos = sorted((PEOPLE / f"person-{number:02d}").glob("*.jpg"))
    crops = [found_crop(vision.decode(photo.read_bytes()), vision, 50) for photo in photos]
    return np.stack([crop for crop in crops if crop is not None])


def invented_parent(vision: FaceVision, number: int) -> Parent:
    crops = invented_crops(vision, number)
    landmarks = np.array([vision.detect(crop)[0].landmarks for crop in crops])
    files = tuple(f"{number}/{place}.jpg" for place in range(len(crops)))
    return Parent(f"person-{number}", crops, landmarks, files)


class CoarseTeachers:
    """Two judges that see only rough light and shade, or rough colour."""

    names = ("shade", "colour")

    def look(self, crops: ByteImage) -> FloatArray:
        middle = crops[:, 24:120, 24:104]
        small = np.stack(
            [cv2.resize(crop, (10, 12), interpolation=cv2.INTER_AREA) for crop in middle]
        )
        flat = small.reshape(len(crops), -1, 3).astype(np.float64)
        shade = flat.mean(axis=2)
        colour = (flat - flat.mean(axis=2, keepdims=True)).reshape(len(crops), -1)[:, :120]
        looks = np.stack([shade - shade.mean(axis=1, keepdims=True), colour])
        return np.asarray(looks / np.linalg.norm(looks, axis=2, keepdims=True))
