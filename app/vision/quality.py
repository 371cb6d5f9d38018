"""Measures what a face's picture is worth: size, sharpness, exposure, pose."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from app.domain.faces import Detection, FaceQuality

#: Of a face that looks straight ahead: eyes to mouth over the distance of the eyes, and how far
#: down that way the nose is. Medians of YuNet's landmarks on 1,500 web photos (LFW: 1.02, 0.57);
#: the ArcFace template itself (1.15, 0.49) comes from another landmark detector.
_FACE_HEIGHT = 1.01
_NOSE_DOWN = 0.575
#: Width over height of YuNet's box around most upright faces. Chosen by a script that was not kept;
#: `python -m training study quality-limits` prints what the limits on it refuse.
_BOX_ASPECT = 0.75
#: How far the nose's tip stands before the plane of eyes and mouth, over the distance of the eyes:
#: about 26 mm over 63 mm.
_NOSE_DEPTH = 0.41
#: Rows and columns of the crop's middle, from brows to lips and cheek to cheek.
_MIDDLE = (slice(36, 96), slice(32, 80))
#: The middle with what a blur of two pixels reaches, and the middle within that.
_AROUND = (slice(36 - 8, 96 + 8), slice(32 - 8, 80 + 8))
_WITHIN = (slice(8, -8), slice(8, -8))
#: Luma up to which and from which on a pixel holds no tones any more: noise, rounding and the
#: compression of pictures leave nothing there. In linear light that is a four-hundredth of white.
_DARKEST = 8
_BRIGHTEST = 250
_CANCELS_DETAIL = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
#: The median of its absolute response to noise of one level: 6 by the mask, 0.6745 by the median.
_RESIDUE_OF_NOISE = 6 * 0.6745
_ROUNDING = 1 / math.sqrt(12)
_ROUNDED_EDGES = 20 * _ROUNDING**2  # the Laplacian's squared weights sum to 20
#: 95 % of the validation photos, and of FairFace's crops nearly as many, have more contrast.
_USUAL_CONTRAST = 15.0
_FINEST_DETAIL = 2.0  # pixels; what is finer counts for no contrast


@dataclass(frozen=True)
class Tones:
    """What a face's middle holds of tones: ``FaceQuality`` says what the numbers mean.

    ``contrast``: standard deviation of the luma without its finest detail.

    Exposure is measured by what is lost and not by how bright a face is: dark skin is dark in the
    best light, and a face in little light whose tones are there is recognised
    (``training study quality-limits``).
    """

    brightness: float
    clipped_shadows: float
    clipped_highlights: float
    contrast: float
    contrast_to_noise: float


def measure_quality(
    crop: npt.NDArray[np.uint8], detection: Detection, inside: float | None = None
) -> FaceQuality:
    """Return the quality of an aligned crop ``(3, 112, 112)`` cut from ``detection``.

    A face smaller than the crop was enlarged to it and so has little sharpness, whatever the lens;
    noise and heavy compression have much. So size is checked first, and sharpness only at the
    extreme. ``inside``: how much of the crop lies within the picture.
    """
    luma = crop_luma(crop)
    yaw, pitch, roll = pose_degrees(detection.landmarks)
    tones = measure_tones(luma)
    return FaceQuality(
        size_pixels=min(detection.box.width, detection.box.height),
        sharpness=sharpness(luma, tones.contrast),
        brightness=tones.brightness,
        yaw_degrees=yaw,
        pitch_degrees=pitch,
        roll_degrees=roll,
        detector_score=detection.score,
        clipped_shadows=tones.clipped_shadows,
        clipped_highlights=tones.clipped_highlights,
        contrast_to_noise=tones.contrast_to_noise,
        inside_share=inside,
        proportion=proportion(detection),
    )


def crop_luma(crop: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return the luma ``(112, 112)`` of an RGB crop ``(3, 112, 112)``."""
    luma = cv2.cvtColor(np.ascontiguousarray(crop.transpose(1, 2, 0)), cv2.COLOR_RGB2GRAY)
    return luma.astype(np.uint8, copy=False)


def sharpness(
    luma: npt.NDArray[np.uint8], contrast: float, inside: npt.NDArray[np.bool_] | None = None
) -> float:
    """Return the variance of the Laplacian, as if the face had the least usual ``contrast``.

    A face in less light has smaller edges and is no less sharp: where the contrast is less than
    that, the variance is raised by the square of what is missing, but for what rounding to whole
    levels makes of it. Of the pixels ``inside`` the photograph, if given.
    """
    edges = cv2.Laplacian(luma, cv2.CV_64F)
    variance = float(edges.var() if inside is None else edges[inside].var())
    if contrast >= _USUAL_CONTRAST:
        return variance
    return max(0.0, variance - _ROUNDED_EDGES) * (_USUAL_CONTRAST / max(contrast, 1.0)) ** 2


def measure_tones(
    luma: npt.NDArray[np.uint8], inside: npt.NDArray[np.bool_] | None = None
) -> Tones:
    """Return what the middle of a face's ``luma`` ``(112, 112)`` holds of tones.

    The noise is what a mask that cancels planes and edges leaves (Immerkaer, "Fast noise variance
    estimation", 1996), here by the median, which a face's own detail moves little; rounding to
    whole levels is noise too. Pixels that are not ``inside`` the photograph do not count; all is
    NaN where nothing of the middle is inside.
    """
    used = np.ones(luma[_MIDDLE].shape, np.bool_) if inside is None else inside[_MIDDLE]
    if not used.any():
        return Tones(*(math.nan,) * 5)
    middle, levels = luma[_MIDDLE][used], luma[_AROUND].astype(np.float32)
    residue = np.abs(cv2.filter2D(levels, cv2.CV_32F, _CANCELS_DETAIL))[_WITHIN][used]
    noise = math.hypot(float(np.median(residue)) / _RESIDUE_OF_NOISE, _ROUNDING)
    contrast = float(cv2.GaussianBlur(levels, (0, 0), _FINEST_DETAIL)[_WITHIN][used].std())
    return Tones(
        brightness=float(middle.mean()),
        clipped_shadows=float((middle <= _DARKEST).mean()),
        clipped_highlights=float((middle >= _BRIGHTEST).mean()),
        contrast=contrast,
        contrast_to_noise=contrast / noise,
    )


def pose_degrees(landmarks: tuple[tuple[float, float], ...]) -> tuple[float, float, float]:
    """Return yaw, pitch and roll; positive: nose to the right, nose down, clockwise in the image.

    Weak perspective on a rigid face: eyes and mouth lie in a plane, the nose's tip stands d eye
    distances before it. Turned by yaw, the eyes are cos(yaw) apart and the nose moves d sin(yaw)
    off the midline; tilted by pitch, eyes and mouth are h cos(pitch) apart and the nose moves
    d sin(pitch) along it. Both ratios give a tangent (cf. Gee and Cipolla, "Determining the gaze
    of faces in images", 1994). Good to some ten degrees: noses differ.
    """
    shape = _face_shape(landmarks)
    if shape is None:
        return 90.0, 0.0, 0.0
    yaw = np.arctan2(shape.nose_right, _NOSE_DEPTH * shape.eye_distance)
    pitch = np.arctan2(shape.nose_down, shape.height * _NOSE_DEPTH / _FACE_HEIGHT)
    return float(np.degrees(yaw)), float(np.degrees(pitch)), float(np.degrees(shape.roll))


def proportion(detection: Detection) -> float:
    """Return height over width of a face, its pose taken back, over that of most; 1 or close to it.

    The geometric mean of two measures, for the landmarks of a face that is stretched to the side
    follow it half only, and its box does not know of pose: eyes to mouth over the distance of the
    eyes, each divided by the cosine of the turn that shortens it (both turns are ratios within one
    direction, which stretching leaves alone), and height over width of the box. 0 where there is no
    height, and infinite where there is no width.
    """
    shape = _face_shape(detection.landmarks)
    if shape is None or shape.height <= 0:
        return 0.0
    if shape.eye_distance <= 0:
        return math.inf
    yaw, pitch, _ = np.radians(pose_degrees(detection.landmarks))
    height, width = shape.height / np.cos(pitch), shape.eye_distance / np.cos(yaw)
    by_landmarks = float(height / width) / _FACE_HEIGHT
    return math.sqrt(by_landmarks * _BOX_ASPECT / _aspect(detection))


def _aspect(detection: Detection) -> float:
    """Return width over height of the box, or its sides' as the nearest quarter turn has them."""
    if detection.aspect is not None:
        return detection.aspect
    sides = detection.box.width, detection.box.height
    across, down = sides if detection.turned_degrees % 180 == 0 else sides[::-1]
    return across / down


@dataclass(frozen=True)
class _FaceShape:
    """Five landmarks in the face's own directions: pixels, ``roll`` in radians.

    ``nose_right`` and ``nose_down``: how far the nose's tip lies from where it is in a face that
    looks straight ahead.
    """

    eye_distance: float
    height: float
    nose_right: float
    nose_down: float
    roll: float


def _face_shape(landmarks: tuple[tuple[float, float], ...]) -> _FaceShape | None:
    points = np.asarray(landmarks, dtype=np.float64)
    eyes, mouth = points[:2].mean(axis=0), points[3:].mean(axis=0)
    # Eyes and mouth corners together give a steadier direction than the eyes alone.
    across = (points[1] - points[0]) + (points[4] - points[3])
    length = float(np.hypot(*across))
    if length == 0:
        return None
    right = across / length
    down = np.array([-right[1], right[0]])
    nose_off = points[2] - (eyes + _NOSE_DOWN * (mouth - eyes))
    return _FaceShape(
        eye_distance=max(0.0, float((points[1] - points[0]) @ right)),
        height=float((mouth - eyes) @ down),
        nose_right=float(nose_off @ right),
        nose_down=float(nose_off @ down),
        roll=float(np.arctan2(right[1], right[0])),
    )
