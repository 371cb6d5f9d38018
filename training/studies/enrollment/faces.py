"""The photos of a trial: validation people as they are and made poor, with what they are worth."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import torch

from app.domain.alignment import ARCFACE_TEMPLATE, FACE_CROP_SIZE
from app.domain.faces import ENROLLMENT_LIMITS, Box, Detection, FaceQuality
from app.vision.quality import measure_quality
from training.data.crops import CROP_SIZE, CropSet
from training.evaluation.embedders import CropEmbedder, centre_faces
from training.foundation.arrays import ByteImage, FloatArray
from training.studies.enrollment.trial import TrialFaces

#: The side to which a poor photo's crop is reduced: about the smallest face that may be enrolled.
_POOR_SIZE = round(ENROLLMENT_LIMITS.min_size_pixels * CROP_SIZE / FACE_CROP_SIZE)
_TEMPLATE = Detection(
    Box(0.0, 0.0, float(FACE_CROP_SIZE), float(FACE_CROP_SIZE)),
    tuple((float(x), float(y)) for x, y in ARCFACE_TEMPLATE),
    1.0,
)
#: From nothing to full weight: 29 % of the validation photos have less sharpness than the upper
#: end, 8 % less brightness. Of the trial only; no limit and no weight of the service is like that.
_FULL_SHARPNESS = 200.0
_NO_BRIGHTNESS, _FULL_BRIGHTNESS = 50.0, 100.0
_MIN_WEIGHT = 0.1


def trial_faces(embedder: CropEmbedder, val: CropSet, strangers: CropSet) -> TrialFaces:
    """Embed everything once; the slow part of a trial."""
    poor = made_poor(val)
    return TrialFaces(
        val=embedder.embed(val),
        poor=embedder.embed(poor),
        quality=photo_weights(val),
        poor_quality=photo_weights(poor),
        people=val.identities.numpy(),
        strangers=embedder.embed(strangers),
    )


def made_poor(crops: CropSet) -> CropSet:
    """Return the crops as if their faces had as few pixels as enrollment takes."""
    images = [
        reduced(np.ascontiguousarray(image.transpose(1, 2, 0)), _POOR_SIZE).transpose(2, 0, 1)
        for image in crops.images.numpy()
    ]
    return dataclasses.replace(crops, images=torch.from_numpy(np.stack(images)))


def reduced(image: ByteImage, side: int) -> ByteImage:
    """Return a square RGB image ``(S, S, 3)`` as if it had been taken with ``side`` pixels."""
    few = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
    whole = cv2.resize(few, image.shape[:2], interpolation=cv2.INTER_LINEAR)
    return whole.astype(np.uint8)


def measure_crops(crops: CropSet) -> list[FaceQuality]:
    """Return sharpness and tones of the crops as the service measures them.

    Size, pose and confidence are those of the template, and mean nothing.
    """
    return [measure_quality(face, _TEMPLATE) for face in centre_faces(crops)]


def photo_weights(crops: CropSet) -> FloatArray:
    """Return what each photo weighs, 0.1 to 1 ``(N,)``, by sharpness and light.

    Size, pose and the detector's confidence are those of a whole photo; of a crop they are unknown.
    """
    measured = measure_crops(crops)
    sharpness = np.array([one.sharpness for one in measured])
    brightness = np.array([one.brightness for one in measured])
    clear = _ramp(sharpness, ENROLLMENT_LIMITS.min_sharpness, _FULL_SHARPNESS)
    light = _ramp(brightness, _NO_BRIGHTNESS, _FULL_BRIGHTNESS)
    weights: FloatArray = np.maximum(clear * light, _MIN_WEIGHT)
    return weights


def _ramp(values: FloatArray, low: float, high: float) -> FloatArray:
    ramp: FloatArray = np.clip((values - low) / (high - low), 0.0, 1.0)
    return ramp
