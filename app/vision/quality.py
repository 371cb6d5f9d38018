"""Measures what a face's picture is worth: size, sharpness, brightness, pose."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from app.domain.faces import Detection, FaceQuality

FloatArray = npt.NDArray[np.float64]

#: Of a face that looks straight ahead: eyes to mouth over the distance of the eyes, and how far
#: down that way the nose is. Medians of YuNet's landmarks on 1,500 web photos (LFW: 1.02, 0.57);
#: the ArcFace template itself (1.15, 0.49) comes from another landmark detector.
_FACE_HEIGHT = 1.01
_NOSE_DOWN = 0.575
#: How far the nose's tip stands before the plane of eyes and mouth, over the distance of the eyes:
#: about 26 mm over 63 mm.
_NOSE_DEPTH = 0.41
#: Rows and columns of the crop's middle, from brows to lips and cheek to cheek.
_MIDDLE = (slice(36, 96), slice(32, 80))


def measure_quality(crop: npt.NDArray[np.uint8], detection: Detection) -> FaceQuality:
    """Return the quality of an aligned crop ``(3, 112, 112)`` cut from ``detection``.

    A face smaller than the crop was enlarged to it and so has little sharpness, whatever the lens;
    noise and heavy compression have much. So size is judged first, and sharpness only at the
    extreme.
    """
    luma = cv2.cvtColor(np.ascontiguousarray(crop.transpose(1, 2, 0)), cv2.COLOR_RGB2GRAY)
    yaw, pitch, roll = pose_degrees(detection.landmarks)
    return FaceQuality(
        size_pixels=min(detection.box.width, detection.box.height),
        sharpness=float(cv2.Laplacian(luma, cv2.CV_64F).var()),
        brightness=float(luma[_MIDDLE].mean()),
        yaw_degrees=yaw,
        pitch_degrees=pitch,
        roll_degrees=roll,
        detector_score=detection.score,
    )


def pose_degrees(landmarks: tuple[tuple[float, float], ...]) -> tuple[float, float, float]:
    """Return yaw, pitch and roll; positive: nose to the right, nose down, clockwise in the image.

    Weak perspective on a rigid face: eyes and mouth lie in a plane, the nose's tip stands d eye
    distances before it. Turned by yaw, the eyes are cos(yaw) apart and the nose moves d sin(yaw)
    off the midline; tilted by pitch, eyes and mouth are h cos(pitch) apart and the nose moves
    d sin(pitch) along it. Both ratios give a tangent (cf. Gee and Cipolla, "Determining the gaze
    of faces in images", 1994). Good to some ten degrees: noses differ.
    """
    points = np.asarray(landmarks, dtype=np.float64)
    eyes, mouth = points[:2].mean(axis=0), points[3:].mean(axis=0)
    # Eyes and mouth corners together give a steadier direction than the eyes alone.
    across = (points[1] - points[0]) + (points[4] - points[3])
    length = float(np.hypot(*across))
    if length == 0:
        return 90.0, 0.0, 0.0
    right = across / length
    down = np.array([-right[1], right[0]])
    eye_distance = max(0.0, float((points[1] - points[0]) @ right))
    height = float((mouth - eyes) @ down)
    nose_off = points[2] - (eyes + _NOSE_DOWN * (mouth - eyes))
    yaw = np.arctan2(nose_off @ right, _NOSE_DEPTH * eye_distance)
    pitch = np.arctan2(nose_off @ down, height * _NOSE_DEPTH / _FACE_HEIGHT)
    roll = np.arctan2(right[1], right[0])
    return float(np.degrees(yaw)), float(np.degrees(pitch)), float(np.degrees(roll))
