"""How far the detector's landmarks scatter when one photo is taken again a little differently."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from app.domain.alignment import similarity_transform
from app.vision.decode import DecodeLimits, decode_photo
from app.vision.detector import FaceDetector
from training.foundation.arrays import ByteImage, FloatArray
from training.foundation.errors import DataError

RETAKES = 8


@dataclass(frozen=True)
class LandmarkNoise:
    """Standard deviation of each landmark's coordinate, in face heights, over the retakes.

    ``by_landmark`` ``(5,)`` is the root mean square over photos and both coordinates, ``worst``
    that of the photo with most.
    """

    photos: int
    retakes: int
    by_landmark: tuple[float, ...]
    worst: float

    @property
    def overall(self) -> float:
        """The root mean square over all landmarks."""
        return float(np.sqrt(np.mean(np.square(self.by_landmark))))


def measure_noise(detector: FaceDetector, folder: Path, seed: int) -> LandmarkNoise:
    """Shift, turn, scale, blur, light and compress every photo below ``folder``, and look again.

    The motion is known and taken back; what remains is the detector's scatter. Raises ``DataError``
    where no photo shows a face.
    """
    random = np.random.default_rng(seed)
    spreads = []
    for file in sorted(folder.rglob("*.jpg")):
        picture = decode_photo(file.read_bytes(), DecodeLimits())
        looks = [
            points
            for _ in range(RETAKES)
            if (points := _look_again(detector, picture, random)) is not None
        ]
        if len(looks) >= RETAKES // 2:
            spreads.append(_spread(np.stack(looks)))
    if not spreads:
        raise DataError(f"no face was found in the photos below {folder}")
    variances = np.stack(spreads)
    return LandmarkNoise(
        photos=len(variances),
        retakes=RETAKES,
        by_landmark=tuple(float(value) for value in np.sqrt(variances.mean(axis=0))),
        worst=float(np.sqrt(variances.mean(axis=1).max())),
    )


def _spread(looks: FloatArray) -> FloatArray:
    """Return each landmark's variance ``(5,)`` over looks ``(n, 5, 2)``, in face heights squared.

    A look that is shifted, turned or scaled as a whole says nothing of the face's shape, and
    nothing that is judged depends on it: each is laid upon the mean first. That takes four of the
    ten coordinates' freedom, which is given back.
    """
    mean = looks.mean(axis=0)
    height = float(np.linalg.norm(mean[3:].mean(axis=0) - mean[:2].mean(axis=0)))
    laid = []
    for look in looks:
        transform = similarity_transform(look, mean)
        laid.append(look @ transform[:, :2].T + transform[:, 2])
    variances: FloatArray = np.stack(laid).var(axis=0, ddof=1).mean(axis=1)
    return variances * 10 / 6 / height**2


def _look_again(
    detector: FaceDetector, picture: ByteImage, random: np.random.Generator
) -> FloatArray | None:
    """Return the landmarks ``(5, 2)`` of a retake, in pixels of the photo."""
    height, width = picture.shape[:2]
    turn = cv2.getRotationMatrix2D(
        (width / 2, height / 2), random.uniform(-8, 8), random.uniform(0.8, 1.2)
    )
    turn[:, 2] += random.uniform(-0.04, 0.04, 2) * width
    moved = cv2.warpAffine(picture, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)
    moved = cv2.GaussianBlur(moved, (0, 0), random.uniform(0.3, 1.5))
    lit = np.clip(moved * random.uniform(0.7, 1.25) + random.uniform(-15, 15), 0, 255)
    done, encoded = cv2.imencode(
        ".jpg", lit.astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(50, 95))]
    )
    if not done:
        return None
    seen = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
    faces = [] if seen is None else detector.detect(seen.astype(np.uint8, copy=False))
    if not faces:
        return None
    points = np.asarray(faces[0].landmarks)
    back: FloatArray = (points - turn[:, 2]) @ np.linalg.inv(turn[:, :2]).T
    return back
